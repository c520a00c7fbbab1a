import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Bench, Site, frameDocument, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";

const LABELS = `[{'label': 'person', 'shortDisplayName': 'per', 'fullDisplayName': 'Person'}, {'label': 'date', 'shortDisplayName': 'dat', 'longDisplayName': 'Date'}, 'company']`;
const TEXT = "Ada Lovelace met Charles Babbage in June 1833.";

function quoted(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("\n", "&#10;");
}

function template(text = TEXT, more = "", inner = ""): string {
  return `<crowd-entity-annotation name="found" header="Highlight the names" labels="${LABELS}" text="${quoted(text)}" ${more}>${inner}</crowd-entity-annotation>`;
}

void describe("crowd-entity-annotation", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser();
  });
  afterEach(async () => {
    await bench.close();
    assert.deepEqual(bench.errors, [], "script errors");
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });

  async function open(markup: string, draft: unknown = null): Promise<void> {
    bench = await Bench.open(site, browser.context, markup, { draft });
    await bench.frame.waitForFunction(`document.querySelector("crowd-entity-annotation, crowd-entity-annotator").shadowRoot.querySelector("fiducial-annotated-text")?.shadowRoot.querySelector(".block")`);
  }

  const press = (...keys: string[]): Promise<void> => keys.reduce((done, key) => done.then(() => bench.page.keyboard.press(key)), Promise.resolve());
  const focusText = (): Promise<void> => bench.frame.getByRole("textbox", { name: /Arrow keys/ }).focus();
  const entities = async (): Promise<unknown[]> => (await bench.frame.evaluate(`document.querySelector("crowd-entity-annotation, crowd-entity-annotator").value.entities`)) as unknown[];
  const offsets = async (): Promise<string[]> => ((await entities()) as { startOffset: number; endOffset: number; label: string }[]).map((e) => `${e.startOffset}-${e.endOffset} ${e.label}`);

  /** Where, in the page, the left edge of the text's character is. */
  async function at(offset: number): Promise<{ x: number; y: number }> {
    const inFrame = (await bench.frame.evaluate(`(() => {
      const pane = document.querySelector("crowd-entity-annotation, crowd-entity-annotator").shadowRoot.querySelector("fiducial-annotated-text");
      const { node, offset } = pane.pointOf(${offset});
      const range = document.createRange();
      range.setStart(node, offset);
      const r = range.getClientRects()[0] ?? range.getBoundingClientRect();
      return { x: r.left, y: r.top + r.height / 2 };
    })()`)) as { x: number; y: number };
    return inFrame;
  }

  async function drag(from: number, to: number): Promise<void> {
    const [a, b] = [await at(from), await at(to)];
    await bench.page.screenshot();
    const { mouse } = bench.page;
    await mouse.move(a.x, a.y);
    await mouse.down();
    await mouse.move((a.x + b.x) / 2, b.y, { steps: 3 });
    await mouse.move(b.x, b.y, { steps: 3 });
    await mouse.up();
  }

  /** Waits until a stretch is selected that reads so. */
  async function selected(words: string): Promise<void> {
    await bench.frame.waitForFunction(`(() => {
      const pane = document.querySelector("crowd-entity-annotation, crowd-entity-annotator").shadowRoot.querySelector("fiducial-annotated-text");
      return pane.range && pane.text.slice(pane.range.start, pane.range.end) === ${JSON.stringify(words)};
    })()`);
  }

  /** Waits until so many tags stand in the text. */
  async function labelled(count: number): Promise<void> {
    await bench.frame.waitForFunction(`document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text").shadowRoot.querySelectorAll(".tag").length === ${count}`);
  }

  test("drag and choose a label; the answer has the documented keys in their order", async () => {
    await open(template());
    await drag(17, 32);
    await selected("Charles Babbage");
    await bench.frame.getByRole("button", { name: "Person" }).click();
    await labelled(1);
    await drag(0, 12);
    await selected("Ada Lovelace");
    await press("1");
    assert.equal(JSON.stringify(await bench.submit()), `{"found":{"entities":[{"endOffset":12,"label":"person","startOffset":0},{"endOffset":32,"label":"person","startOffset":17}]}}`);
  });

  test("it stands alone: named fields around it, and those a script puts into its own form, are in the answer", async () => {
    await open(`${template(TEXT, "", `<div id="more"><h3>Subject?</h3><crowd-radio-group><crowd-radio-button name="tech" value="tech">Technology</crowd-radio-button></crowd-radio-group><input name="note" value="n"></div>`)}
      <input name="outside" value="o">
      <script>document.addEventListener("all-crowd-elements-ready", () => document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("crowd-form").form.appendChild(more))</script>`);
    await bench.frame.getByText("Technology").click();
    assert.deepEqual(await bench.submit(), { found: { entities: [] }, tech: { tech: true }, note: "n", outside: "o" });
  });

  test("onsubmit of its own form comes first and can prevent", async () => {
    await open(`${template()}<script>document.addEventListener("all-crowd-elements-ready", () => { document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("crowd-form").onsubmit = (e) => { e.preventDefault(); document.title = "asked"; }; })</script>`);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.waitForFunction(`document.title === "asked"`);
    assert.deepEqual(await bench.said("submit"), []);
  });

  test("within a crowd-form there is one Submit button, and crowd-entity-annotator is the same", async () => {
    await open(`<crowd-form>${template().replaceAll("crowd-entity-annotation", "crowd-entity-annotator")}<input name="x" value="1"></crowd-form>`);
    assert.equal(await bench.frame.getByRole("button", { name: "Submit" }).count(), 1);
    await drag(0, 3);
    await selected("Ada");
    await press("3");
    assert.deepEqual(await bench.submit(), { found: { entities: [{ endOffset: 3, label: "company", startOffset: 0 }] }, x: "1" });
  });

  test("by keyboard: arrows move, Shift selects, words with Control", async () => {
    await open(template());
    await focusText();
    await press("Control+Shift+ArrowRight", "Control+Shift+ArrowRight");
    await selected("Ada Lovelace");
    await press("1");
    await press("End", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft");
    await selected("1833");
    await press("2");
    await press("Home", "Shift+End");
    await selected(TEXT);
    await press("3");
    assert.deepEqual(await offsets(), ["0-12 person", "0-46 company", "41-45 date"]);
  });

  test("by keyboard: lines, the whole text, and its ends", async () => {
    await open(template("first line\nsecond line\n\nlast"));
    await focusText();
    await press("ArrowDown", "Shift+ArrowDown");
    await selected("second line");
    await press("Control+a");
    await selected("first line\nsecond line\n\nlast");
    await press("Control+End", "Control+Shift+ArrowLeft");
    await selected("last");
    await press("Control+Home", "Shift+ArrowRight");
    await selected("f");
    await press("1");
    assert.deepEqual(await offsets(), ["0-1 person"]);
  });

  test("white space at the ends of a selection is not labelled", async () => {
    await open(template());
    await drag(3, 17);
    await selected("Lovelace met");
  });

  test("a double click selects a word", async () => {
    await open(template());
    const { x, y } = await at(20);
    await bench.page.screenshot();
    await bench.page.mouse.dblclick(x, y);
    await selected("Charles");
    await press("1");
    assert.deepEqual(await offsets(), ["17-24 person"]);
  });

  test("overlapping spans: nested and crossing; a click goes through them; allow-overlap=\"false\" refuses", async () => {
    await open(template());
    for (const [from, to, key] of [[0, 12, "1"], [4, 16, "2"], [4, 8, "3"]] as const) {
      await drag(from, to);
      await selected(TEXT.slice(from, to));
      await press(key);
      await labelled(Number(key));
    }
    assert.deepEqual(await offsets(), ["0-12 person", "4-8 company", "4-16 date"]);
    const { x, y } = await at(6);
    const names: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await bench.page.mouse.click(x, y, { delay: 5 });
      await bench.page.mouse.move(x + i, y);
      names.push(await bench.frame.waitForFunction(`(() => { const s = document.querySelector("crowd-entity-annotation").editor.selected; return s && !${JSON.stringify(names)}.includes(s.label) && s.label; })()`).then((h) => h.jsonValue()));
      // Not a double click, which would select a word.
      await bench.page.waitForTimeout(600);
    }
    assert.deepEqual(names, ["company", "person", "date"]);
    await bench.close();
    await open(template(TEXT, 'allow-overlap="false"'));
    await drag(0, 12);
    await press("1");
    await labelled(1);
    await drag(4, 16);
    await press("2");
    await bench.frame.getByText("may not overlap").waitFor();
    assert.deepEqual(await offsets(), ["0-12 person"]);
  });

  test("the same stretch again changes its label; with Shift it gets both", async () => {
    await open(template());
    await drag(0, 12);
    await press("1");
    await labelled(1);
    await drag(0, 12);
    await press("2");
    assert.deepEqual(await offsets(), ["0-12 date"]);
    await drag(0, 12);
    await press("Shift+Digit3");
    assert.deepEqual(await offsets(), ["0-12 company", "0-12 date"]);
  });

  test("relabel, remove and undo by keyboard alone", async () => {
    await open(template(TEXT, `initial-value="[{label:'person',startOffset:0,endOffset:12},{label:'person',startOffset:17,endOffset:32}]"`));
    await focusText();
    await press("]", "2");
    assert.deepEqual(await offsets(), ["0-12 date", "17-32 person"]);
    await press("]", "Delete");
    assert.deepEqual(await offsets(), ["0-12 date"]);
    await press("Control+z", "Control+z");
    assert.deepEqual(await offsets(), ["0-12 person", "17-32 person"]);
    await press("Control+Shift+z");
    assert.deepEqual(await offsets(), ["0-12 date", "17-32 person"]);
    await press("[", "Backspace");
    assert.deepEqual(await offsets(), ["17-32 person"]);
  });

  test("the X at a tag removes, the tag selects; short names stand on tags, full names in the list", async () => {
    await open(template(TEXT, `initial-value="[{label:'person',startOffset:0,endOffset:12},{label:'date',startOffset:36,endOffset:45}]"`));
    assert.equal(await bench.frame.locator(".tag .pick").first().textContent(), "per");
    await bench.frame.getByRole("button", { name: "Person: Ada Lovelace", exact: true }).click();
    await bench.frame.locator(".labels .choose", { hasText: "Date" }).click();
    assert.deepEqual(await offsets(), ["0-12 date", "36-45 date"]);
    await bench.frame.getByRole("button", { name: "Remove Date: Ada Lovelace" }).click();
    assert.deepEqual(await offsets(), ["36-45 date"]);
    await bench.frame.getByRole("button", { name: "Remove Date", exact: true }).click();
    assert.deepEqual(await offsets(), []);
  });

  test("a label chosen first is given to every selection until Escape", async () => {
    await open(template());
    await bench.frame.getByRole("button", { name: "Person" }).click();
    await drag(0, 12);
    await labelled(1);
    await drag(17, 32);
    await labelled(2);
    await focusText();
    await press("Escape");
    await drag(36, 45);
    await selected("June 1833");
    assert.deepEqual(await offsets(), ["0-12 person", "17-32 person"]);
  });

  test("many labels: Enter goes to the search, Enter again gives the first found", async () => {
    const many = Array.from({ length: 40 }, (_, i) => `{label:'l${i}',fullDisplayName:'Kind number ${i}'}`).join();
    await open(template().replace(LABELS, `[${many}]`));
    await focusText();
    await press("Control+Shift+ArrowRight", "Enter");
    await bench.page.keyboard.type("ber 3");
    assert.equal(await bench.frame.locator(".labels .choose").count(), 11);
    await bench.page.keyboard.type("7");
    await press("Enter");
    assert.deepEqual(await offsets(), ["0-3 l37"]);
    await press("Control+Shift+ArrowRight");
    await selected("Lovelace");
  });

  for (const { name, text, from, to, points } of [
    { name: "an emoji before and within", text: "😀 Hi 🏳️‍🌈 there", from: 3, to: 12, points: "2-9" },
    { name: "combining marks stay whole", text: "cafe\u0301 bar", from: 0, to: 5, points: "0-5" },
    { name: "a family of one emoji", text: "a 👩‍👩‍👧 b", from: 2, to: 10, points: "2-7" },
    { name: "right to left", text: "שלום עולם 2024", from: 5, to: 9, points: "5-9" },
    { name: "Arabic among Latin", text: "Say مرحبا now", from: 4, to: 9, points: "4-9" },
    { name: "beyond the first plane", text: "𝔘𝔫𝔦 code", from: 7, to: 11, points: "4-8" },
  ]) {
    test(`offsets count code points: ${name}`, async () => {
      await open(template(text));
      await bench.frame.evaluate(`document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text").setRange(${from}, ${to})`);
      await focusText();
      await press("1");
      assert.deepEqual(await offsets(), [`${points} person`]);
    });
  }

  test("arrow keys step over whole characters, and to the left through text that runs right to left", async () => {
    await open(template("👩‍👩‍👧é x"));
    await focusText();
    await press("Shift+ArrowRight", "1");
    assert.deepEqual(await offsets(), ["0-5 person"]);
    await bench.close();
    await open(template("שלום עולם"));
    await focusText();
    await press("Shift+ArrowLeft", "Shift+ArrowLeft");
    await selected("של");
  });

  test("a selection that cuts a character in two is widened", async () => {
    await open(template("ab👩‍👩‍👧cd"));
    await bench.frame.evaluate(`document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text").setRange(1, 4)`);
    await selected("b👩‍👩‍👧");
  });

  test("initial-value, draft, value and labels from scripts", async () => {
    await open(template(TEXT, `initial-value="[{label:'person',startOffset:0,endOffset:12},{label:'x',startOffset:40,endOffset:900}]"`), { found: { entities: [{ startOffset: 36, endOffset: 45, label: "date" }] } });
    await bench.frame.locator(".tag", { hasText: "dat" }).waitFor();
    assert.deepEqual(await offsets(), ["36-45 date"]);
    await bench.frame.evaluate(`{ const e = document.querySelector("crowd-entity-annotation"); e.value = { entities: [{ label: "date", startOffset: 0, endOffset: 3 }] }; e.labels = [...e.labels, { label: "new", fullDisplayName: "Brand new" }]; }`);
    await bench.frame.getByText("Brand new").waitFor();
    assert.deepEqual(await bench.frame.evaluate(`document.querySelector("crowd-entity-annotation")._submittableValue`), { entities: [{ endOffset: 3, label: "date", startOffset: 0 }] });
    assert.equal(await bench.frame.evaluate(`document.querySelector("crowd-entity-annotation").getAttribute("labels")`), LABELS);
  });

  test("header, description, instructions; an attribute that cannot be read is named", async () => {
    await open(template(TEXT, `description="All of them." initial-value="[{"`, `<short-instructions>Short.</short-instructions><full-instructions header="In full">Long.</full-instructions>`));
    await bench.frame.getByRole("heading", { name: "Highlight the names" }).waitFor();
    await bench.frame.getByText("All of them.").waitFor();
    await bench.frame.getByText("Short.").waitFor();
    await bench.frame.getByText("The attribute initial-value cannot be read").waitFor();
    await bench.frame.getByRole("button", { name: "View full instructions" }).click();
    await bench.frame.getByText("Long.").waitFor();
  });

  test("a change is told to the page and to the template's scripts", async () => {
    await open(`${template()}<script>window.heard = 0; document.querySelector("crowd-entity-annotation").addEventListener("change", () => heard++)</script>`);
    await drag(0, 3);
    await press("1");
    assert.deepEqual((await bench.waitFor("change")).answer.found.entities, [{ endOffset: 3, label: "person", startOffset: 0 }]);
    assert.equal(await bench.frame.evaluate("heard"), 1);
  });

  test("by touch: taps take words and marks; a label is given, changed and removed", async () => {
    const phone = await openBrowser({ touch: true, width: 390, height: 800 });
    try {
      bench = await Bench.open(site, phone.context, template(), {});
      await bench.frame.waitForFunction(`document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text")?.shadowRoot.querySelector(".block")`);
      const tap = async (offset: number): Promise<void> => {
        const { x, y } = await at(offset);
        await bench.page.touchscreen.tap(x + 3, y);
      };
      const button = (name: string | RegExp) => bench.frame.getByRole("button", { name }).first();
      await tap(18);
      await selected("Charles");
      await tap(26);
      await selected("Charles Babbage");
      // One more, on what is selected, lets go of it.
      await tap(20);
      await bench.frame.waitForFunction(`!document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text").range`);
      // From the last word back to the first.
      await tap(6);
      await selected("Lovelace");
      await tap(1);
      await selected("Ada Lovelace");
      await button("Person").tap();
      await labelled(1);
      assert.deepEqual(await offsets(), ["0-12 person"]);
      // The mark is taken and gets another label.
      await tap(6);
      await bench.frame.waitForFunction(`document.querySelector("crowd-entity-annotation").editor.selected`);
      await button("company").tap();
      assert.deepEqual(await offsets(), ["0-12 company"]);
      await button(/Remove company: Ada Lovelace/).tap();
      await labelled(0);
      // A label that is held is given to every word that is tapped.
      await button("Date").tap();
      await tap(38);
      await labelled(1);
      await tap(42);
      await labelled(2);
      assert.deepEqual(await offsets(), ["36-40 date", "41-45 date"]);
      await tap(42);
      await button("Remove the selected label (Delete)").tap();
      assert.deepEqual(await offsets(), ["36-40 date"]);
    } finally {
      await phone.close();
    }
  });

  test("by touch: a word that is held is selected by the browser, its handles change the stretch", async () => {
    const phone = await openBrowser({ touch: true, width: 390, height: 800 });
    try {
      bench = await Bench.open(site, phone.context, template(), {});
      await bench.frame.waitForFunction(`document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text")?.shadowRoot.querySelector(".block")`);
      // The browser takes the finger over, so the page hears of no end of it, and sets the selection itself.
      const { x, y } = await at(18);
      const cdp = await phone.context.newCDPSession(bench.page);
      await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
      await cdp.send("Input.dispatchTouchEvent", { type: "touchCancel", touchPoints: [] });
      const handles = (from: number, to: number): Promise<unknown> => bench.frame.evaluate(`(() => {
        const pane = document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text");
        const [a, b] = [pane.pointOf(${from}), pane.pointOf(${to})];
        document.getSelection().setBaseAndExtent(a.node, a.offset, b.node, b.offset);
      })()`);
      await handles(17, 24);
      await selected("Charles");
      await handles(17, 32);
      await selected("Charles Babbage");
      await bench.frame.getByRole("button", { name: "Person" }).tap();
      await labelled(1);
      assert.deepEqual(await offsets(), ["17-32 person"]);
    } finally {
      await phone.close();
    }
  });

  test("a megabyte of text: only blocks in sight are painted, one label changes one block", async () => {
    const line = "The quick brown fox jumps over the lazy dog by the old river bank. ";
    site.pages.set("/unused", frameDocument(""));
    await open(template(`${line.repeat(20)}\n`.repeat(780)));
    const { frame } = bench;
    assert.ok(((await frame.evaluate(`document.querySelector("crowd-entity-annotation").text.length`)) as number) >= 1_000_000);
    const counts = (await frame.evaluate(`new Promise((resolve) => {
      const pane = document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text");
      const blocks = [...pane.shadowRoot.querySelectorAll(".block")];
      const touched = new Set();
      const observer = new MutationObserver((records) => records.forEach((r) => touched.add(blocks.findIndex((b) => b.contains(r.target)))));
      for (const block of blocks) observer.observe(block, { childList: true, subtree: true, characterData: true, attributes: true });
      pane.setRange(pane.text.indexOf("fox", 500000), pane.text.indexOf("fox", 500000) + 3);
      document.querySelector("crowd-entity-annotation").use("person");
      document.querySelector("crowd-entity-annotation").updateComplete.then(() => pane.updateComplete).then(() => {
        const skipped = blocks.filter((b) => !b.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length;
        resolve({ blocks: blocks.length, touched: touched.size, skipped });
      });
    })`)) as { blocks: number; touched: number; skipped: number };
    assert.ok(counts.blocks > 300, JSON.stringify(counts));
    assert.equal(counts.touched, 1, JSON.stringify(counts));
    assert.ok(counts.skipped > counts.blocks - 20, JSON.stringify(counts));
  });
});
