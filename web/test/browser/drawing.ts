// What the tests of all tools that draw on a picture share: hands that work in
// the picture's pixels, and the tests that every such element has to pass.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { CDPSession } from "playwright-core";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png } from "./pictures.js";

export type Place = readonly [x: number, y: number];

export const SIZE = { height: 533, width: 800 };

/** A tool on a picture of 800 by 533 pixels, and a hand over it. */
export class Drawing {
  private site: Site | null = null;
  private browser: Opened | null = null;
  private opened: Bench | null = null;
  private fingers: CDPSession | null = null;

  constructor(readonly tag: string) {
    before(async () => {
      this.site = await Site.start();
      this.browser = await openBrowser({ touch: true });
      const picture = png(SIZE.width, SIZE.height);
      this.site.handlers.set("/picture.png", (_request, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
    });
    after(async () => {
      await this.browser?.close();
      await this.site?.stop();
    });
    afterEach(async () => {
      await this.opened?.close();
      this.opened = null;
    });
  }

  get bench(): Bench {
    if (!this.opened) throw new Error("no template is open");
    return this.opened;
  }

  get mouse(): Bench["page"]["mouse"] {
    return this.bench.page.mouse;
  }

  get keyboard(): Bench["page"]["keyboard"] {
    return this.bench.page.keyboard;
  }

  /** Opens the tool with further attributes and content; ready when the picture is. */
  async open(attributes = "", content = "", draft: unknown = null): Promise<void> {
    if (!this.site || !this.browser) throw new Error("not started");
    const labels = attributes.includes("labels=") ? "" : `labels="['Cat', 'Dog',]"`;
    await this.opened?.close();
    this.fingers = null;
    this.opened = await Bench.open(
      this.site,
      this.browser.context,
      `<crowd-form><crowd-${this.tag} id="annotator" name="annotatedResult" src="/picture.png" header="Mark the animals" ${labels} ${attributes}>${content}</crowd-${this.tag}></crowd-form>`,
      { draft },
    );
    await this.opened.pictureReady(`crowd-${this.tag}`);
  }

  /** Where an image pixel lies on the page. */
  async at([x, y]: Place): Promise<[number, number]> {
    return (await this.bench.frame.evaluate(
      `(() => { const { stage } = annotator; const r = stage.root.getBoundingClientRect(); const v = stage.view; return [r.left + v.x + ${x} * v.scale, r.top + v.y + ${y} * v.scale]; })()`,
    )) as [number, number];
  }

  async click(...places: Place[]): Promise<void> {
    for (const place of places) await this.mouse.click(...(await this.at(place)));
  }

  async drag(from: Place, to: Place): Promise<void> {
    await this.mouse.move(...(await this.at(from)));
    await this.mouse.down();
    const [x, y] = await this.at(to);
    await this.mouse.move(x - 6, y - 6);
    await this.mouse.move(x, y);
    await this.mouse.up();
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.keyboard.press(key);
  }

  async value(): Promise<any> {
    return this.bench.frame.evaluate("annotator.value");
  }

  async scale(): Promise<number> {
    return Number(await this.bench.frame.evaluate("annotator.stage.view.scale"));
  }

  async touch(type: "touchStart" | "touchMove" | "touchEnd", ...points: Place[]): Promise<void> {
    this.fingers ??= await this.bench.page.context().newCDPSession(this.bench.page);
    await this.fingers.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  }
}

/** How one tool differs from the others. */
export interface ToolSpec {
  /** The answer's member. */
  readonly member: string;
  /** A shape's noun, its heading, and what is said when there is none. */
  readonly one: string;
  readonly title: string;
  /** Two shapes, as an initial value gives and an answer shows them. */
  readonly shapes: readonly [object, object];
  readonly tellsModified: boolean;
  /** A place on the first shape, where a click in select mode picks it. */
  readonly grip: Place;
  /** The first shape, one pixel further right. */
  readonly nudged: object;
}

/** Attributes, regions, properties and events that all drawing elements document. */
export function commonTests(drawing: Drawing, spec: ToolSpec): void {
  const { member } = spec;
  const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"', "&quot;");
  const [first, second] = spec.shapes;
  const answer = (...shapes: object[]): object => ({ inputImageProperties: SIZE, [member]: shapes });
  const modified = (value: boolean): object => (spec.tellsModified ? { initialValueModified: value } : {});

  test("name, src, labels, header: the answer under the name, for the picture at src; the header is the question", async () => {
    await drawing.open();
    const { frame } = drawing.bench;
    await frame.getByRole("heading", { name: "Mark the animals" }).waitFor();
    assert.deepEqual(await frame.getByRole("radio").allInnerTexts().then((texts) => texts.map((text) => text.split("\n")[0])), ["Cat", "Dog"]);
    assert.deepEqual(await drawing.value(), answer());
    await frame.evaluate(`annotator.header = "Anything else?"`);
    await frame.getByRole("heading", { name: "Anything else?" }).waitFor();
    await frame.getByText(`No ${spec.title.toLowerCase()} are drawn`).waitFor({ state: "hidden" });
  });

  test("initial-value: shown, answered, and told apart from a change where that is documented", async () => {
    await drawing.open(`initial-value="${literal(spec.shapes)}"`);
    assert.equal(JSON.stringify((await drawing.bench.submit()).annotatedResult), JSON.stringify({ ...answer(first, second), ...modified(false) }));
    await drawing.open(`initial-value="${literal(spec.shapes)}"`);
    await drawing.press("v");
    await drawing.click(spec.grip);
    await drawing.press("ArrowRight");
    assert.deepEqual(await drawing.value(), { ...answer(spec.nudged, second), ...modified(true) });
    await drawing.press("Control+z");
    assert.deepEqual(await drawing.value(), { ...answer(first, second), ...modified(false) });
  });

  test("short-instructions and full-instructions: beside the picture, and in a window", async () => {
    await drawing.open("", `<short-instructions header="In short">Be exact.</short-instructions><full-instructions header="At length"><p>Be very exact.</p></full-instructions>`);
    const { frame } = drawing.bench;
    await frame.getByText("Be exact.").waitFor();
    await frame.getByText("In short").waitFor();
    await frame.getByRole("button", { name: "View full instructions" }).click();
    await frame.getByRole("dialog", { name: "At length" }).waitFor();
    await frame.getByText("Be very exact.").waitFor();
    await frame.getByRole("button", { name: "Close" }).click();
    await frame.getByRole("dialog").waitFor({ state: "hidden" });
  });

  test("value is read and set by scripts; _submittableValue is the same; what is no shape is left out", async () => {
    await drawing.open();
    const { frame } = drawing.bench;
    await frame.evaluate(`annotator.value = { ${member}: ${JSON.stringify([first, { label: "Cat" }, 7])} }`);
    assert.deepEqual(await drawing.value(), answer(first));
    assert.deepEqual(await frame.evaluate("annotator._submittableValue"), answer(first));
    await frame.getByRole("listbox", { name: spec.title }).getByRole("option").waitFor();
  });

  test("labels are live, and the attribute stays as it was written", async () => {
    await drawing.open();
    const { frame } = drawing.bench;
    assert.deepEqual(await frame.evaluate(`(() => { annotator.labels = annotator.labels.concat(["Bird"]); return [annotator.labels, annotator.getAttribute("labels")]; })()`), [["Cat", "Dog", "Bird"], "['Cat', 'Dog',]"]);
    await frame.getByRole("radio", { name: /Bird/ }).waitFor();
  });

  test("a change is told by input and change events, and to the page; a draft comes back", async () => {
    await drawing.open("", "", { annotatedResult: answer(first) });
    const { frame } = drawing.bench;
    assert.deepEqual(await drawing.value(), answer(first));
    await frame.evaluate(`(window.heard = [], ["input", "change"].forEach((type) => annotator.addEventListener(type, () => heard.push(type))))`);
    await drawing.press("]", "ArrowRight");
    assert.deepEqual(await frame.evaluate("heard"), ["input", "change"]);
    const told = JSON.stringify((await drawing.value())[member]);
    await drawing.bench.page.waitForFunction(`window.said.some((m) => m.type === "change" && JSON.stringify(m.answer.annotatedResult.${member}) === ${JSON.stringify(told)})`);
    assert.deepEqual(await drawing.value(), answer(spec.nudged));
  });

  test("nothing drawn needs a second Submit", async () => {
    await drawing.open();
    await drawing.bench.frame.getByRole("button", { name: "Submit" }).click();
    await drawing.bench.frame.getByText(`No ${spec.title.toLowerCase()} are drawn`).waitFor();
    assert.deepEqual(await drawing.bench.said("submit"), []);
    assert.deepEqual((await drawing.bench.submit()).annotatedResult, answer());
  });

  test("disabled: no part of the answer", async () => {
    await drawing.open("disabled");
    assert.deepEqual(await drawing.bench.submit(), {});
  });

  test("literals that cannot be read are named", async () => {
    await drawing.open(`labels="['Cat', " initial-value="[{"`);
    const { frame } = drawing.bench;
    await frame.getByText("The attribute labels cannot be read").waitFor();
    await frame.getByText("The attribute initial-value cannot be read").waitFor();
  });

  test("a shape is relabelled, copied, cut, pasted at the pointer and deleted; undo takes all of it back", async () => {
    await drawing.open(`initial-value="${literal([first])}"`);
    const before = await drawing.value();
    await drawing.press("]", "2", "Control+c");
    await drawing.mouse.move(...(await drawing.at([600, 400])));
    await drawing.press("Control+v");
    const shapes = (await drawing.value())[member];
    assert.deepEqual(shapes.map((shape: any) => shape.label), ["Dog", "Dog"]);
    const spoken = (await drawing.bench.frame.locator('[role=option][aria-selected="true"]').getAttribute("aria-label")) ?? "";
    assert.match(spoken, /^Dog\b/);
    await drawing.press("Control+x");
    assert.equal((await drawing.value())[member].length, 1);
    await drawing.press("]", "Shift+Delete");
    assert.equal((await drawing.value())[member].length, 0);
    for (let i = 0; i < 4; i++) await drawing.press("Control+z");
    assert.deepEqual(await drawing.value(), before);
  });

  test("hidden labels cannot be pointed at; opacity is the label's own; neither changes the answer", async () => {
    await drawing.open(`initial-value="${literal(spec.shapes)}"`);
    const { frame } = drawing.bench;
    const before = JSON.stringify(await drawing.value());
    await frame.getByRole("slider", { name: "Opacity" }).fill("40");
    assert.equal(await frame.evaluate(`annotator.palette.opacityOf("Cat")`), 0.4);
    await frame.getByRole("button", { name: "Hide Cat" }).click();
    await drawing.press("v");
    await drawing.click(spec.grip);
    await drawing.press("Delete");
    assert.equal(JSON.stringify(await drawing.value()), before);
  });

  test("a keyboard alone chooses in the list, moves and deletes; the list says what it shows", async () => {
    await drawing.open(`initial-value="${literal(spec.shapes)}"`);
    const list = drawing.bench.frame.getByRole("listbox", { name: spec.title });
    await list.focus();
    await drawing.press("Home", "ArrowDown");
    assert.match((await list.locator('[aria-selected="true"]').getAttribute("aria-label")) ?? "", /^Dog\b.*\d/);
    await drawing.press("Delete");
    assert.deepEqual((await drawing.value())[member], [first]);
  });

  test("the sheet of keys opens by ?, names the tool's keys, and closes by Esc", async () => {
    await drawing.open();
    await drawing.press("?");
    const sheet = drawing.bench.frame.getByRole("dialog");
    await sheet.getByText("show or hide the overview").waitFor();
    await sheet.getByText(new RegExp(`previous and next ${spec.one}$`)).waitFor();
    await drawing.press("Escape");
    await sheet.waitFor({ state: "hidden" });
  });
}
