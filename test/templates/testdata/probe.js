// Runs before the template in its frame: hears every error, and fills in whatever
// the template asks, as a worker would, when it is told to.
(() => {
  const tell = (message) => parent.postMessage(message, "*");
  const wrong = (message) => tell({ type: "probe-error", message: String(message).slice(0, 300) });
  const error = console.error;
  console.error = (...words) => (wrong("console: " + words.join(" ")), error(...words));
  addEventListener("error", (e) => wrong(e.message ?? "did not load: " + (e.target.currentSrc || e.target.src || e.target.href)), true);
  addEventListener("unhandledrejection", (e) => wrong("rejected: " + e.reason));
  addEventListener("securitypolicyviolation", (e) => wrong(`blocked: ${e.blockedURI} (${e.effectiveDirective})`));
  document.addEventListener("all-crowd-elements-ready", () => {
    const strange = new Set(all(document, ":not(:defined)").map((e) => e.localName).filter((name) => name.startsWith("crowd-")));
    if (strange.size > 0) wrong("no such element: " + [...strange].join(" "));
    tell({ type: "probe-ready" });
  });

  const first = (list) => (Array.isArray(list) ? (list[0]?.label ?? list[0]?.name ?? list[0]) : undefined);
  const points = [{ x: 20, y: 20 }, { x: 120, y: 30 }, { x: 70, y: 110 }];
  const shapes = (tag, label) =>
    ({
      "crowd-bounding-box": { boundingBoxes: [{ left: 20, top: 20, width: 100, height: 80, label }] },
      "crowd-polygon": { polygons: [{ label, vertices: points }] },
      "crowd-polyline": { polylines: [{ label, vertices: points }] },
      "crowd-line": { lines: [{ label, vertices: points.slice(0, 2) }] },
    })[tag];
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const change = (field) => ["input", "change"].forEach((type) => field.dispatchEvent(new Event(type, { bubbles: true, composed: true })));

  function plain(field) {
    if (field.disabled || field.type === "hidden" || field.type === "search") return;
    if (field.localName === "select") {
      const options = [...field.options].filter((o) => o.value !== "" && !o.disabled);
      if (field.value === "" && options[0]) field.value = options[0].value;
    } else if (field.type === "checkbox" || field.type === "radio") {
      if (!all(document, `input[name="${CSS.escape(field.name)}"]`).some((other) => other.checked)) field.click();
    } else if (field.value === "" && !["file", "range", "button", "submit", "reset", "image"].includes(field.type)) {
      const words = { date: "2024-02-29", number: "3", url: "https://example.com/", email: "a@example.com", time: "12:00", color: "#336699", month: "2024-02", "datetime-local": "2024-02-29T12:00" };
      field.value = words[field.type] ?? "A few words";
    }
    change(field);
  }

  const ways = {
    "crowd-input": (e) => e.value || (e.value = { number: "3", url: "https://example.com/", email: "a@example.com" }[e.type] ?? "words"),
    "crowd-text-area": (e) => e.value || (e.value = "Some words."),
    "crowd-slider": (e) => {
      e.value = Number(e.getAttribute("min") ?? 0) + Number(e.getAttribute("step") ?? 1);
    },
    "crowd-checkbox": (e) => e.checked || e.click(),
    "crowd-toggle-button": (e) => e.checked || e.click(),
    "crowd-radio-group": (e) => all(e, "crowd-radio-button").some((b) => b.checked) || e.querySelector("crowd-radio-button:not([disabled])")?.click(),
    "crowd-entity-annotation": (e) => (e.value = { entities: [{ startOffset: 0, endOffset: 4, label: first(e.labels) }] }),
    "crowd-keypoint": (e) => {
      // A template among those known counts its labels so, and wants as many points.
      const count = (e.getAttribute("labels") ?? "").split('","').length;
      e.value = { keypoints: e.labels.slice(0, count).map((label, i) => ({ label: first([label]), x: 20 + 15 * i, y: 40 })) };
    },
  };

  async function fill() {
    for (const e of all(document, "*")) {
      if (!e.isConnected || e.disabled || e.closest("[hidden]")) continue;
      const tag = e.localName;
      if (["input", "select", "textarea"].includes(tag)) plain(e);
      else if (ways[tag]) ways[tag](e);
      else if (/^crowd-.*classifier|moderation/.test(tag)) (e.shadowRoot.querySelector(".category input") ?? e.shadowRoot.querySelector("input"))?.click();
      else if (shapes(tag)) e.value = shapes(tag, first(e.labels));
      else if (/text-ranking|question-answer|textract/.test(tag)) {
        // The n-th response gets the n-th rank, so no rank is given twice.
        all(e.shadowRoot, ".row").forEach((row, n) => row.querySelectorAll("input")[n % row.querySelectorAll("input").length].click());
        all(e.shadowRoot, "input[type=text], textarea").forEach((field) => plain(field));
      }
      await e.updateComplete;
    }
    tell({ type: "probe-filled" });
  }
  addEventListener("message", (e) => e.data?.type === "probe-fill" && void fill().catch(wrong));
})();
