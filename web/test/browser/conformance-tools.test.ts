// The tools for pictures, texts and documents, entry by entry. How they are worked with is in their own tests.

import assert from "node:assert/strict";
import { readPng } from "../unit/read-png.js";
import { walk } from "./conformance.js";
import type { Probe, Walk } from "./conformance.js";

const REGIONS = `<short-instructions header="In short">Be exact.</short-instructions><full-instructions header="At length">Be very exact.</full-instructions>`;
const SIZE = { height: 300, width: 400 };
const quoted = (value: unknown): string => JSON.stringify(value).replaceAll('"', "&quot;");

const ready = (p: Probe): Promise<unknown> => p.bench.frame.waitForFunction(`["ready", "failed"].includes(it.state)`);

const regions = {
  "<short-instructions>": async (p: Probe) => {
    await p.bench.frame.getByText("In short").waitFor();
    await p.bench.frame.getByText("Be exact.").waitFor();
  },
  "<full-instructions>": async (p: Probe) => {
    assert.equal(await p.bench.frame.getByText("Be very exact.").isVisible(), false);
    await p.bench.frame.getByRole("button", { name: "View full instructions" }).click();
    await p.bench.frame.getByRole("dialog", { name: "At length" }).waitFor();
    await p.bench.frame.getByText("Be very exact.").waitFor();
    await p.bench.page.keyboard.press("Escape");
    await p.bench.frame.getByText("Be very exact.").waitFor({ state: "hidden" });
  },
};

/** What the element hands in under its name, as scripts see it. */
const handed = (p: Probe): Promise<any> => p.js(`document.querySelector("crowd-form").value.mark`);

/** What all tools share, given what changes the answer; the page's element has the id `it`, the labels Cat and Dog, and the name `mark`. */
function shared(act: (p: Probe) => Promise<void>, role: "radio" | "button" = "radio"): Walk["checks"] {
  return {
    header: async (p) => p.bench.frame.getByRole("heading", { name: "Which ones?" }).waitFor(),
    labels: async (p) => {
      for (const label of ["Cat", "Dog"]) await p.bench.frame.getByRole(role, { name: new RegExp(`^${label}`) }).first().waitFor();
    },
    name: async (p) => assert.ok((await handed(p)) !== undefined),
    "event change": async (p) => assert.ok((await p.events("change", () => act(p))) >= 1),
    "event input": async (p) => assert.ok((await p.events("input", () => act(p))) >= 1),
    "property value": async (p) => assert.deepEqual(await p.js("it.value"), await handed(p)),
    "property _submittableValue": async (p) => assert.deepEqual(await p.js("it._submittableValue"), await handed(p)),
    "property disabled": async (p) => {
      await p.js("void (it.disabled = true)");
      await p.expect(`document.querySelector("crowd-form").value`, {});
      await p.js("void (it.disabled = false)");
      assert.ok((await handed(p)) !== undefined);
    },
    ...regions,
  };
}

const pictured = {
  src: async (p: Probe) => {
    await ready(p);
    await p.expect("it.state", "ready");
  },
  "answer inputImageProperties": async (p: Probe) => assert.deepEqual((await handed(p)).inputImageProperties, SIZE),
};

const nudge = async (p: Probe): Promise<void> => {
  await p.bench.page.locator("iframe").focus();
  for (const key of ["v", "]", "ArrowRight"]) await p.bench.page.keyboard.press(key);
};

/** A tool that draws shapes: `shapes` to begin with, the first of which `nudge` moves to `moved`. */
function drawing(tag: string, member: string, shapes: readonly object[], moved: object, tells: boolean, colours: boolean): Walk {
  const modified = { "answer initialValueModified": async (p: Probe) => assert.equal((await handed(p)).initialValueModified, true) };
  const told = shared(nudge);
  return {
    template: `<crowd-form><crowd-${tag} id="it" name="mark" src="/photo.jpg" header="Which ones?" labels="['Cat', 'Dog']" initial-value="${quoted(shapes)}" ${colours ? `label-colors="['#ff0000', '#00f']"` : ""}>${REGIONS}</crowd-${tag}></crowd-form>`,
    checks: {
      src: pictured.src,
      "initial-value": async (p) => assert.deepEqual((await handed(p))[member], shapes),
      [`answer ${member}`]: async (p) => {
        await nudge(p);
        assert.deepEqual((await handed(p))[member], [moved, ...shapes.slice(1)]);
      },
      ...(tells ? modified : {}),
      ...(colours ? { "label-colors": async (p: Probe) => p.expect(`["Cat", "Dog"].map((label) => it.palette.colourOf(label))`, ["#ff0000", "#0000ff"]) } : {}),
      "answer inputImageProperties": pictured["answer inputImageProperties"],
      ...told,
    },
  };
}

const corners = (...places: [number, number][]): object[] => places.map(([x, y]) => ({ x, y }));

const paint = async (p: Probe): Promise<void> => {
  const [x, y] = await p.js<[number, number]>(`(() => { const r = it.stage.root.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`);
  const far = Number(await p.js("(window.strokes = (window.strokes ?? 0) + 1)")) * 30;
  await p.bench.page.mouse.move(x - 60, y - 60 + far);
  await p.bench.page.mouse.down();
  await p.bench.page.mouse.move(x + 60, y - 60 + far);
  await p.bench.page.mouse.up();
};

const labeledImage = async (p: Probe): Promise<void> => {
  const picture = readPng(Buffer.from((await handed(p)).labeledImage.pngImageData, "base64"));
  assert.deepEqual({ height: picture.height, width: picture.width }, SIZE);
};

walk("what is documented: tools", {
  "crowd-bounding-box": drawing("bounding-box", "boundingBoxes", [{ height: 50, label: "Cat", left: 20, top: 30, width: 40 }, { height: 40, label: "Dog", left: 200, top: 100, width: 60 }], { height: 50, label: "Cat", left: 21, top: 30, width: 40 }, true, false),
  "crowd-keypoint": drawing("keypoint", "keypoints", [{ label: "Cat", x: 40, y: 50 }, { label: "Dog", x: 200, y: 100 }], { label: "Cat", x: 41, y: 50 }, false, false),
  "crowd-line": drawing("line", "lines", [{ label: "Cat", vertices: corners([40, 50], [90, 80]) }], { label: "Cat", vertices: corners([41, 50], [91, 80]) }, true, true),
  "crowd-polygon": drawing("polygon", "polygons", [{ label: "Cat", vertices: corners([40, 50], [90, 80], [60, 120]) }], { label: "Cat", vertices: corners([41, 50], [91, 80], [61, 120]) }, false, false),
  "crowd-polyline": drawing("polyline", "polylines", [{ label: "Cat", vertices: corners([40, 50], [90, 80], [60, 120]) }], { label: "Cat", vertices: corners([41, 50], [91, 80], [61, 120]) }, true, true),

  "crowd-semantic-segmentation": {
    template: `<crowd-form><crowd-semantic-segmentation id="it" name="mark" src="/photo.jpg" header="Which ones?" labels="['Cat', 'Dog']" initial-value="{ src: '/photo.jpg', labelMappings: { Dog: { color: '#ffffff' } } }">${REGIONS}</crowd-semantic-segmentation></crowd-form>`,
    checks: {
      src: pictured.src,
      // The photograph's white grid is the Dog.
      "initial-value": async (p) => p.bench.frame.waitForFunction(`"Dog" in (it.value.labelMappings ?? {})`).then(() => undefined),
      "answer labelMappings": async (p) => {
        await paint(p);
        assert.deepEqual(Object.keys((await handed(p)).labelMappings).sort(), ["Cat", "Dog"]);
        assert.equal((await handed(p)).labelMappings.Dog.color, "#ffffff");
      },
      "answer initialValueModified": async (p) => assert.equal((await handed(p)).initialValueModified, true),
      "answer labeledImage": labeledImage,
      "answer inputImageProperties": pictured["answer inputImageProperties"],
      ...shared(paint),
    },
  },
  "crowd-instance-segmentation": {
    template: `<crowd-form><crowd-instance-segmentation id="it" name="mark" src="/photo.jpg" header="Which ones?" labels="['Cat', 'Dog']">${REGIONS}</crowd-instance-segmentation></crowd-form>`,
    checks: {
      src: pictured.src,
      "answer instances": async (p) => {
        await paint(p);
        assert.deepEqual((await handed(p)).instances.map((instance: { label: string }) => instance.label), ["Cat"]);
        assert.match((await handed(p)).instances[0].color, /^#[0-9a-f]{6}$/);
      },
      "answer labeledImage": labeledImage,
      "answer inputImageProperties": pictured["answer inputImageProperties"],
      ...shared(paint),
    },
  },

  "crowd-entity-annotation": {
    template: `<crowd-form><crowd-entity-annotation id="it" name="mark" header="Which ones?" text="A cat and a dog met." labels="['Cat', 'Dog']" initial-value="[{ label: 'Cat', startOffset: 2, endOffset: 5 }]">${REGIONS}</crowd-entity-annotation></crowd-form>`,
    checks: (() => {
      const act = async (p: Probe): Promise<void> => {
        const at = Number(await p.js("(window.marks = (window.marks ?? 5) + 1)"));
        await p.js(`void (it.shadowRoot.querySelector("fiducial-annotated-text").setRange(${at}, ${at} + 3), it.use("Dog"))`);
      };
      return {
        text: async (p: Probe) => p.bench.frame.waitForFunction(`it.shadowRoot.querySelector("fiducial-annotated-text").shadowRoot.querySelector(".block")?.textContent.replace(/Cat/, "").includes("and a dog met.")`).then(() => undefined),
        "initial-value": async (p: Probe) => assert.deepEqual((await handed(p)).entities, [{ endOffset: 5, label: "Cat", startOffset: 2 }]),
        "answer entities": async (p: Probe) => {
          await act(p);
          assert.deepEqual((await handed(p)).entities, [{ endOffset: 5, label: "Cat", startOffset: 2 }, { endOffset: 9, label: "Dog", startOffset: 6 }]);
        },
        ...shared(act, "button"),
      };
    })(),
  },
  "crowd-rekognition-detect-moderation-labels": {
    template: `<crowd-form><crowd-rekognition-detect-moderation-labels id="it" src="/photo.jpg" header="Which ones?" categories="[{ name: 'Gore', parentName: 'Violence' }]" exclusion-category="{ text: 'Nothing at all' }"></crowd-rekognition-detect-moderation-labels></crowd-form>`,
    checks: {
      header: async (p) => p.bench.frame.getByRole("heading", { name: "Which ones?" }).waitFor(),
      src: async (p) => {
        await ready(p);
        await p.expect("it.state", "ready");
      },
      categories: async (p) => {
        await p.bench.frame.getByText("Gore").click();
        assert.deepEqual(await p.js("it.value"), { ModerationLabels: [{ name: "Gore", parentName: "Violence" }] });
      },
      "exclusion-category": async (p) => {
        await p.bench.frame.getByText("Nothing at all").click();
        assert.deepEqual(await p.js("it.value"), { ModerationLabels: [] });
      },
    },
  },
  "crowd-textract-analyze-document": {
    template: `<crowd-form><crowd-textract-analyze-document id="it" src="/photo.jpg" header="Which ones?" no-key-edit no-geometry-edit blockTypes="['KEY_VALUE_SET']" keys="[{ importantFormKey: 'Address' }]"
      initialValue="${quoted([{ blockType: "KEY_VALUE_SET", id: "k", entityTypes: ["KEY"], text: "Name:", relationships: [{ type: "VALUE", ids: ["v"] }] }, { blockType: "KEY_VALUE_SET", id: "v", entityTypes: ["VALUE"], text: "Ada", geometry: { boundingBox: { left: 0.1, top: 0.1, width: 0.2, height: 0.1 } } }])}">${REGIONS}</crowd-textract-analyze-document></crowd-form>`,
    checks: {
      header: async (p) => p.bench.frame.getByRole("heading", { name: "Which ones?" }).waitFor(),
      src: async (p) => assert.equal(await p.$("#it img").getAttribute("src"), "/photo.jpg"),
      initialValue: async (p) => assert.equal(await p.bench.frame.getByRole("group", { name: "Name:" }).getByLabel("Value", { exact: true }).inputValue(), "Ada"),
      blockTypes: async (p) => assert.ok((await p.js<{ blockType: string }[]>("it.value.blocks")).every((block) => block.blockType === "KEY_VALUE_SET")),
      keys: async (p) => p.bench.frame.getByRole("group", { name: "Address" }).waitFor(),
      "no-key-edit": async (p) => assert.equal(await p.bench.frame.getByLabel("Key", { exact: true }).count(), 0),
      "no-geometry-edit": async (p) => assert.equal(await p.$("#it polygon").count(), 1, "shown, without handles"),
      ...regions,
    },
  },

  "crowd-form": {
    template: `<crowd-form id="it"><crowd-input name="word" value="a"></crowd-input></crowd-form><script>var submits = 0; it.addEventListener("submit", (e) => { if (submits++ === 0) e.preventDefault(); })</script>`,
    checks: {
      "property value": async (p) => p.expect("it.value", { word: "a" }),
      "event submit": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.expect("submits", 1);
        assert.equal(await p.submits(), 0);
      },
      submit: async (p) => {
        await p.js("void it.submit()");
        assert.deepEqual((await p.bench.waitFor("submit")).answer, { word: "a" });
      },
    },
  },
  "crowd-text-ranking": {
    template: `<crowd-form><crowd-text-ranking id="it" name="mark" text="Explain mirrors." ordinal-ranking-dimensions='[{"name":"Clarity","allowTie":true}]' responses='["One.","Two."]'></crowd-text-ranking></crowd-form>`,
    checks: {
      text: async (p) => p.bench.frame.getByText("Explain mirrors.").waitFor(),
      responses: async (p) => {
        for (const text of ["One.", "Two."]) await p.bench.frame.getByText(text).waitFor();
      },
      "ordinal-ranking-dimensions": async (p) => {
        assert.equal(await p.bench.frame.getByRole("radiogroup", { name: /^Clarity, response/ }).count(), 2);
      },
      "answer rankings": async (p) => {
        for (const n of [1, 2]) await p.bench.frame.getByRole("radiogroup", { name: `Clarity, response ${n}` }).getByRole("radio", { name: `Rank ${3 - n}` }).click();
        assert.deepEqual(await handed(p), { rankings: [{ dimension: "Clarity", ranks: [2, 1] }] });
      },
    },
  },
  "crowd-question-answer-generation": {
    template: `<crowd-form><crowd-question-answer-generation id="it" name="mark" text="The river is long." min-questions="1" max-questions="2" question-tags='["Why"]'></crowd-question-answer-generation></crowd-form>`,
    checks: {
      text: async (p) => p.bench.frame.getByText("The river is long.").first().waitFor(),
      "min-questions": async (p) => assert.equal(await p.bench.frame.getByRole("group", { name: /^Question/ }).count(), 1),
      "question-tags": async (p) => p.bench.frame.getByLabel("Why").check(),
      "answer questionAnswerPairs": async (p) => {
        await p.bench.frame.getByLabel("Question", { exact: true }).fill("What is long?");
        await p.bench.frame.getByLabel("Answer", { exact: true }).fill("The river");
        assert.deepEqual(await handed(p), { questionAnswerPairs: [{ question: "What is long?", answer: "The river", tags: ["Why"], references: [] }] });
      },
      "max-questions": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Add a question" }).click();
        assert.ok(await p.bench.frame.getByRole("button", { name: "Add a question" }).isDisabled());
      },
    },
  },
});
