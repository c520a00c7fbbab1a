import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { readPng } from "../unit/read-png.js";
import type { ReadPng } from "../unit/read-png.js";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { fourColours, scenePng, turned } from "./pictures.js";

const REGIONS = `
    <full-instructions header="How to segment"><p>In full.</p></full-instructions>
    <short-instructions>Paint the animals.</short-instructions>`;
const SEMANTIC = `<crowd-form><crowd-semantic-segmentation id="tool" name="annotatedResult" src="/scene.png" header="Please label each of the requested objects" labels="['Cat', 'Dog', 'Bird']">${REGIONS}</crowd-semantic-segmentation></crowd-form>`;
const INSTANCES = `<crowd-form><crowd-instance-segmentation id="tool" name="annotatedResult" src="/scene.png" header="Please label each of the requested objects" labels="['Cat', 'Dog', 'Bird']">${REGIONS}</crowd-instance-segmentation></crowd-form>`;
const [WIDTH, HEIGHT] = [400, 260];

const pictureOf = (answer: any): ReadPng => readPng(Buffer.from(answer.labeledImage.pngImageData, "base64"));

describe("segmentation", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser({ touch: true });
    const picture = scenePng(WIDTH, HEIGHT);
    const quarters = turned(await fourColours(browser.context));
    const cors = { "Access-Control-Allow-Origin": "*" };
    site.handlers.set("/scene.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", ...cors }).end(picture));
    site.handlers.set("/turned.jpg", (_q, response) => void response.writeHead(200, { "Content-Type": "image/jpeg", ...cors }).end(quarters));
    site.handlers.set("/strict.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png" }).end(picture));
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });
  afterEach(() => bench.close());

  async function open(template: string, draft: unknown = null): Promise<void> {
    bench = await Bench.open(site, browser.context, template, { draft });
    await bench.frame.waitForFunction(`["ready", "failed"].includes(document.querySelector("#tool").state)`);
  }

  const evaluate = (script: string): Promise<any> => bench.frame.evaluate(`(() => { const tool = document.querySelector("#tool"); return ${script}; })()`);

  /** Where an image pixel's middle lies on the page. */
  async function at(x: number, y: number): Promise<[number, number]> {
    return (await evaluate(`(() => { const r = tool.stage.root.getBoundingClientRect(); const v = tool.stage.view; return [r.left + v.x + ${x + 0.5} * v.scale, r.top + v.y + ${y + 0.5} * v.scale]; })()`)) as [number, number];
  }

  async function drag(...points: [number, number][]): Promise<void> {
    for (const [i, point] of points.entries()) {
      await bench.page.mouse.move(...(await at(...point)));
      if (i === 0) await bench.page.mouse.down();
    }
    await bench.page.mouse.up();
  }

  const click = async (x: number, y: number): Promise<void> => bench.page.mouse.click(...(await at(x, y)));
  const press = (key: string): Promise<void> => bench.page.keyboard.press(key);
  const value = (): Promise<any> => evaluate("tool.value");

  const painted = async (): Promise<ReadPng> => pictureOf(await value());

  async function valueAt(x: number, y: number): Promise<number> {
    const { data, width } = await painted();
    return data[y * width + x] ?? -1;
  }

  async function cells(): Promise<Map<number, number>> {
    const counts = new Map<number, number>();
    for (const v of (await painted()).data) counts.set(v, (counts.get(v) ?? 0) + 1);
    return counts;
  }

  /** How well what is painted agrees with the red disc of the scene: both over either. */
  async function agreesWithDisc(): Promise<number> {
    const { data } = await painted();
    let [both, either] = [0, 0];
    data.forEach((v, p) => {
      const inside = Math.hypot((p % WIDTH) - 120, Math.floor(p / WIDTH) - 130) < 70;
      if (inside && v > 0) both++;
      if (inside || v > 0) either++;
    });
    return both / either;
  }

  test("brush, label keys and sizes: the answer is as documented", async () => {
    await open(SEMANTIC);
    await press("2");
    await drag([50, 40], [100, 40]);
    await press("3");
    await press("]");
    await drag([50, 90], [100, 90]);
    const answer = await bench.submit();
    assert.deepEqual(Object.keys(answer.annotatedResult), ["inputImageProperties", "labelMappings", "labeledImage"]);
    assert.deepEqual(answer.annotatedResult.inputImageProperties, { height: HEIGHT, width: WIDTH });
    assert.equal(JSON.stringify(answer.annotatedResult.labelMappings), '{"Dog":{"color":"#ff7f0e"},"Bird":{"color":"#2ca02c"}}');
    const image = pictureOf(answer.annotatedResult);
    assert.deepEqual([image.width, image.height, image.colourType], [WIDTH, HEIGHT, 3]);
    assert.deepEqual(image.palette, [[255, 255, 255], [31, 119, 180], [255, 127, 14], [44, 160, 44]]);
    const column = (x: number): number[] => Array.from({ length: HEIGHT }, (_, y) => image.data[y * WIDTH + x] ?? -1);
    assert.deepEqual([column(75)[40], column(75)[90], column(75)[65]], [2, 3, 0]);
    const thickness = (v: number): number => column(75).filter((c) => c === v).length;
    assert.ok(thickness(2) >= 9 && thickness(2) <= 11, `${thickness(2)} pixels thick`);
    assert.ok(thickness(3) > thickness(2), "the larger brush paints a thicker line");
  });

  test("labels painted first stand first in the mapping; labels not painted do not stand there", async () => {
    await open(SEMANTIC);
    await press("3");
    await drag([50, 40], [60, 40]);
    await press("1");
    await drag([50, 90], [60, 90]);
    assert.deepEqual(Object.keys((await value()).labelMappings), ["Bird", "Cat"]);
    await press("Control+z");
    await press("Control+z");
    assert.deepEqual((await value()).labelMappings, {});
    await press("Control+Shift+z");
    assert.deepEqual(Object.keys((await value()).labelMappings), ["Bird"]);
  });

  test("eraser, Alt, and undo", async () => {
    await open(SEMANTIC);
    await drag([50, 40], [150, 40]);
    await press("e");
    await drag([100, 30], [100, 50]);
    assert.deepEqual([await valueAt(60, 40), await valueAt(100, 40), await valueAt(140, 40)], [1, 0, 1]);
    await press("b");
    await bench.page.keyboard.down("Alt");
    await drag([60, 30], [60, 50]);
    await bench.page.keyboard.up("Alt");
    assert.equal(await valueAt(60, 40), 0);
    await press("Control+z");
    await press("Control+z");
    assert.deepEqual([await valueAt(60, 40), await valueAt(100, 40)], [1, 1]);
    await bench.frame.getByRole("button", { name: "Undo (Ctrl+Z)" }).click();
    assert.equal((await cells()).get(1), undefined);
    assert.equal(await bench.frame.getByRole("button", { name: "Undo (Ctrl+Z)" }).isDisabled(), true);
  });

  test("an outline by clicks, closed at its first corner, by Enter, by a double click, or drawn", async () => {
    await open(SEMANTIC);
    await press("p");
    const square = [[20, 20], [80, 20], [80, 80], [20, 80]] as const;
    for (const [x, y] of square) await click(x, y);
    await press("Backspace");
    await click(20, 80);
    await click(20, 20);
    assert.equal(await valueAt(50, 50), 1);
    assert.ok(Math.abs(((await cells()).get(1) ?? 0) - 3600) < 130);
    await press("2");
    for (const [x, y] of square) await click(x + 100, y);
    assert.equal(await valueAt(150, 50), 0);
    await press("Enter");
    assert.equal(await valueAt(150, 50), 2);
    await press("3");
    await click(220, 20);
    await click(280, 20);
    await bench.page.mouse.dblclick(...(await at(280, 80)));
    assert.equal(await valueAt(275, 30), 3);
    await press("1");
    await drag([300, 150], [360, 150], [360, 220], [300, 220], [300, 152]);
    assert.equal(await valueAt(330, 190), 1);
    await click(10, 200);
    await click(40, 200);
    await press("Escape");
    await press("Enter");
    assert.equal(await valueAt(30, 201), 0);
  });

  test("fill, and keeping other labels", async () => {
    await open(SEMANTIC);
    await press("p");
    for (const [x, y] of [[20, 20], [80, 20], [80, 80], [20, 80], [20, 20]] as const) await click(x, y);
    await press("2");
    await press("g");
    await click(50, 50);
    assert.equal(await valueAt(50, 50), 2);
    assert.equal(await valueAt(200, 200), 0);
    await click(200, 200);
    assert.equal((await cells()).get(0), undefined);
    await press("Control+z");
    await press("b");
    await press("k");
    await press("3");
    await drag([50, 50], [150, 50]);
    assert.deepEqual([await valueAt(50, 50), await valueAt(140, 50)], [2, 3]);
    assert.equal(await bench.frame.getByRole("button", { name: /Keep other labels/ }).getAttribute("aria-pressed"), "true");
  });

  test("the area alike, patches and the automatic outline look at the picture's colours", async () => {
    await open(SEMANTIC);
    await press("w");
    await click(120, 130);
    const alike = await agreesWithDisc();
    assert.ok(alike > 0.97, `alike: ${alike}`);
    await press("Control+z");

    await press("s");
    await bench.frame.waitForFunction(`document.querySelector("#tool").work === "" && document.querySelector("#tool").pixels.patches`);
    await drag([120, 130], [80, 130], [160, 130], [120, 90], [120, 170]);
    const { data } = await painted();
    const wrong = [...data].filter((v, p) => v > 0 && Math.hypot((p % WIDTH) - 120, Math.floor(p / WIDTH) - 130) > 71).length;
    const right = [...data].filter((v) => v > 0).length;
    assert.ok(right > 3000 && wrong / right < 0.03, `patches: ${wrong} of ${right} outside of the disc`);
    assert.equal(await evaluate("tool.pixels.offload.beside"), true, "the worker was refused");
    await press("Control+z");

    await press("a");
    for (const [x, y] of [[50, 130], [120, 60], [189, 130]] as const) await click(x, y);
    await bench.frame.getByText("1 more point.").waitFor();
    await click(120, 199);
    await bench.frame.waitForFunction(`document.querySelector("#tool").work === "" && document.querySelector("#tool").map.canUndo`);
    const cut = await agreesWithDisc();
    assert.ok(cut > 0.95, `automatic outline: ${cut}`);
  });

  test("where no worker may start, the same is done on the page", async () => {
    await open(SEMANTIC.replace("<crowd-form>", `<script>Worker = class { constructor() { throw new Error("refused"); } };</script><crowd-form>`));
    await press("a");
    for (const [x, y] of [[50, 130], [120, 60], [189, 130], [120, 199]] as const) await click(x, y);
    await bench.frame.waitForFunction(`document.querySelector("#tool").work === "" && document.querySelector("#tool").map.canUndo`);
    assert.ok((await agreesWithDisc()) > 0.95);
    assert.equal(await evaluate("tool.pixels.offload.beside"), false);
  });

  test("where the host does not let pixels be read, their tools are off and the others work", async () => {
    await open(SEMANTIC.replace("/scene.png", "/strict.png"));
    for (const name of [/^Alike/, /^Patches/, /^Automatic outline/]) assert.equal(await bench.frame.getByRole("button", { name }).isDisabled(), true);
    assert.equal(await bench.frame.getByText(/does not let pages read its pixels/).isVisible(), true);
    await press("w");
    await drag([50, 40], [100, 40]);
    assert.equal(await valueAt(75, 40), 1);
  });

  test("a picture that its EXIF data would turn is looked at as it is stored", async () => {
    await open(SEMANTIC.replace("/scene.png", "/turned.jpg"));
    assert.deepEqual((await value()).inputImageProperties, { height: 160, width: 240 });
    await press("w");
    await click(60, 40);
    const { data } = await painted();
    // The stored picture's upper left quarter is red, and nothing else.
    const quarter = [...data].filter((v, p) => v > 0 && p % 240 < 120 && p < 80 * 240).length;
    const all = [...data].filter((v) => v > 0).length;
    assert.ok(quarter > 0.95 * 120 * 80 && all - quarter < 500, `${quarter} of ${all}`);
  });

  test("by keyboard alone", async () => {
    await open(SEMANTIC);
    await bench.frame.locator(".stage").focus();
    await press("ArrowLeft");
    await press("Enter");
    for (let i = 0; i < 6; i++) await press("Shift+ArrowRight");
    await press("Enter");
    const strokes = await cells();
    assert.ok((strokes.get(1) ?? 0) > 300, `${strokes.get(1)} pixels`);
    await press("Shift+ArrowDown");
    assert.deepEqual(await cells(), strokes, "the lifted brush paints no more");
    await press("p");
    await press("Enter");
    for (let i = 0; i < 3; i++) await press("Shift+ArrowDown");
    await press("Enter");
    for (let i = 0; i < 3; i++) await press("Shift+ArrowLeft");
    await press("Enter");
    await press("Enter");
    assert.ok(((await cells()).get(1) ?? 0) > (strokes.get(1) ?? 0) + 100);
    assert.equal(await evaluate("tool.points"), 0);
  });

  test("hiding a label and its opacity change what is seen, not the answer", async () => {
    await open(SEMANTIC);
    await drag([100, 130], [140, 130]);
    const before = await value();
    const seen = async (): Promise<number[]> => {
      await bench.page.screenshot();
      const [x, y] = (await evaluate(`(() => { const v = tool.stage.view; return [Math.round(v.x + 120.5 * v.scale), Math.round(v.y + 130.5 * v.scale)]; })()`)) as [number, number];
      return (await evaluate(`[...tool.shadowRoot.querySelector("canvas.lower-canvas").getContext("2d").getImageData(${x}, ${y}, 1, 1).data]`)) as number[];
    };
    const [, , , alpha = 0] = await seen();
    assert.ok(alpha > 100 && alpha < 200, `alpha ${alpha}`);
    await bench.frame.getByRole("slider", { name: "Opacity" }).fill("10");
    assert.ok(((await seen())[3] ?? 0) < 40);
    await bench.frame.getByRole("button", { name: "Hide Cat" }).click();
    assert.equal((await seen())[3], 0);
    assert.deepEqual(await value(), before);
  });

  test("a draft comes back, and is the answer until it is shown", async () => {
    await open(SEMANTIC);
    await press("2");
    await drag([50, 40], [100, 40]);
    await bench.waitFor("change");
    const first = await value();
    await bench.close();
    await open(SEMANTIC, { annotatedResult: first });
    await bench.frame.waitForFunction(`document.querySelector("#tool").awaitedValue === null && document.querySelector("#tool").map.countOf(2) > 0`);
    await press("3");
    await drag([50, 90], [100, 90]);
    assert.deepEqual(Object.keys((await value()).labelMappings), ["Dog", "Bird"]);
    await evaluate(`tool.value = ${JSON.stringify(first)}`);
    assert.deepEqual(await value(), first);
    // What is no answer is ignored.
    for (const bad of ["null", "7", "{}", "{ labelMappings: 3, labeledImage: {} }"]) await evaluate(`tool.value = ${bad}`);
    assert.deepEqual(await value(), first);
  });

  describe("initial-value", () => {
    const seeded = (src: string, mapping = "{'Bird': {color: '#1f77b4'}, 'Fish': {'color': '#123456'},}"): string =>
      SEMANTIC.replace("<crowd-semantic-segmentation ", `<crowd-semantic-segmentation initial-value="{ src: '${src}', labelMappings: ${mapping} }" `);

    before(() => {
      // Half of it Bird, a quarter Fish, and something of a colour that nobody named.
      const mask = scenePng(100, 65, (x, y) => (x < 50 ? [31, 119, 180] : y < 32 ? [0x12, 0x34, 0x56] : x > 90 ? [9, 200, 9] : [255, 255, 255]));
      site.handlers.set("/mask.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(mask));
      site.handlers.set("/strict-mask.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png" }).end(mask));
    });

    test("is shown under its own colours, stretched to the picture, and its edits are told apart", async () => {
      await open(seeded("/mask.png"));
      const first = await value();
      assert.deepEqual(first.labelMappings, { Bird: { color: "#1f77b4" }, Fish: { color: "#123456" } });
      assert.equal(first.initialValueModified, false);
      const { data, palette } = await painted();
      const colourAt = (x: number, y: number): readonly number[] => palette[data[y * WIDTH + x] ?? 0] ?? [];
      assert.deepEqual([colourAt(10, 10), colourAt(199, 259), colourAt(201, 10), colourAt(220, 200), colourAt(390, 200)], [[31, 119, 180], [31, 119, 180], [0x12, 0x34, 0x56], [255, 255, 255], [255, 255, 255]]);
      assert.equal(await bench.frame.getByRole("radio", { name: /Fish/ }).isVisible(), true);
      await drag([250, 200], [300, 200]);
      const changed = await value();
      assert.equal(changed.initialValueModified, true);
      assert.equal(changed.labelMappings.Cat.color !== "#1f77b4", true, "two labels have one colour");
      await press("Control+z");
      assert.equal((await value()).initialValueModified, false);
    });

    test("that cannot be read says so", async () => {
      await open(seeded("/strict-mask.png"));
      await bench.frame.getByText(/earlier segmentation could not be read/).waitFor();
      assert.deepEqual((await value()).labelMappings, {});
      await bench.close();
      await open(SEMANTIC.replace("<crowd-semantic-segmentation ", `<crowd-semantic-segmentation initial-value="{ src: }" `));
      await bench.frame.getByText(/attribute initial-value cannot be read/).waitFor();
    });

    test("comes back on reset", async () => {
      await open(seeded("/mask.png"));
      const first = await value();
      await drag([250, 200], [300, 200]);
      await evaluate("tool.reset()");
      await bench.frame.waitForFunction(`document.querySelector("#tool").value.initialValueModified === false`);
      assert.deepEqual(await value(), first);
    });
  });

  test("labels may come later, and go, without what is painted losing its meaning", async () => {
    await open(SEMANTIC.replace(`labels="['Cat', 'Dog', 'Bird']"`, ""));
    await drag([50, 40], [100, 40]);
    await bench.frame.getByText("There is no label yet to paint with.").waitFor();
    await evaluate(`tool.labels = ["Cat", "Dog"]`);
    await press("2");
    await drag([50, 40], [100, 40]);
    await evaluate(`tool.labels = ["Bird", "Cat"]`);
    assert.deepEqual((await value()).labelMappings, { Dog: { color: "#ff7f0e" } });
    await bench.frame.getByRole("radio", { name: /Bird/ }).click();
    await drag([50, 90], [100, 90]);
    const { labelMappings } = await value();
    assert.deepEqual(Object.keys(labelMappings), ["Dog", "Bird"]);
    assert.notEqual(labelMappings.Bird.color, labelMappings.Dog.color);
  });

  test("nothing painted is handed in only at the second try; an unfinished outline never", async () => {
    await open(SEMANTIC);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText(/Nothing is painted/).waitFor();
    await press("p");
    await click(20, 20);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText(/outline is not finished/).waitFor();
    await press("Escape");
    const answer = await bench.submit();
    assert.deepEqual(answer.annotatedResult.labelMappings, {});
    assert.equal(pictureOf(answer.annotatedResult).data.every((v) => v === 0), true);
  });

  test("header, instructions and events", async () => {
    await open(SEMANTIC);
    await bench.frame.getByRole("heading", { name: "Please label each of the requested objects" }).waitFor();
    assert.equal(await bench.frame.getByText("Paint the animals.").isVisible(), true);
    await bench.frame.evaluate(`(window.heard = [], ["input", "change"].forEach((type) => document.addEventListener(type, (e) => heard.push(e.type + " " + e.target.id))))`);
    await drag([50, 40], [100, 40]);
    await bench.frame.getByRole("slider", { name: "Size" }).fill("80");
    assert.deepEqual(await bench.frame.evaluate("heard"), ["input tool", "change tool"]);
    await bench.frame.getByRole("button", { name: /instructions/i }).first().click();
    assert.equal(await bench.frame.getByText("In full.").isVisible(), true);
  });

  test("a picture that does not open is reported and says so", async () => {
    await open(SEMANTIC.replace("/scene.png", "/nowhere.png"));
    assert.match((await bench.waitFor("media-error")).url ?? "", /nowhere/);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText(/picture could not be opened, so/).waitFor();
  });

  test("a finger paints", async () => {
    await open(SEMANTIC);
    await bench.page.touchscreen.tap(...(await at(100, 100)));
    assert.equal(await valueAt(100, 100), 1);
  });

  describe("instances", () => {
    test("each has its colour; the answer is as documented", async () => {
      await open(INSTANCES);
      await drag([50, 40], [80, 40]);
      await press("3");
      await drag([50, 90], [80, 90]);
      await press("1");
      await drag([150, 40], [180, 40]);
      await drag([150, 60], [180, 60]);
      const answer = await bench.submit();
      assert.deepEqual(Object.keys(answer.annotatedResult), ["inputImageProperties", "instances", "labeledImage"]);
      assert.equal(JSON.stringify(answer.annotatedResult.instances), '[{"color":"#1f77b4","label":"Cat"},{"color":"#2ca02c","label":"Cat"},{"color":"#ff7f0e","label":"Bird"}]');
      const { data, palette } = pictureOf(answer.annotatedResult);
      const colourAt = (x: number, y: number): readonly number[] => palette[data[y * WIDTH + x] ?? 0] ?? [];
      assert.deepEqual([colourAt(60, 40), colourAt(60, 90), colourAt(160, 40), colourAt(160, 60), colourAt(300, 200)], [[31, 119, 180], [255, 127, 14], [44, 160, 44], [44, 160, 44], [255, 255, 255]]);
    });

    test("are added, taken in hand, hidden, deleted, and come back", async () => {
      await open(INSTANCES);
      await drag([50, 40], [80, 40]);
      await bench.frame.getByRole("button", { name: /Add instance/ }).click();
      await drag([50, 90], [80, 90]);
      await press("n");
      await drag([50, 140], [80, 140]);
      const labels = async (): Promise<number> => (await value()).instances.length;
      assert.equal(await labels(), 3);
      await bench.frame.getByRole("button", { name: "Cat, instance 1", exact: true }).click();
      await drag([150, 40], [180, 40]);
      assert.equal(await valueAt(160, 40), await valueAt(60, 40));
      await bench.frame.getByRole("button", { name: "Hide Cat, instance 1", exact: true }).click();
      await bench.frame.getByRole("button", { name: "Delete Cat, instance 2", exact: true }).click();
      assert.deepEqual((await value()).instances.map((i: { color: string }) => i.color), ["#1f77b4", "#2ca02c"]);
      assert.equal(await valueAt(60, 90), 0);
      await press("Control+z");
      assert.equal(await labels(), 3);
      await press("Delete");
      assert.equal(await valueAt(60, 40), 0);
    });

    test("a draft comes back", async () => {
      await open(INSTANCES);
      await drag([50, 40], [80, 40]);
      await press("2");
      await drag([50, 90], [80, 90]);
      const first = await value();
      await bench.close();
      await open(INSTANCES, { annotatedResult: first });
      await bench.frame.waitForFunction(`document.querySelector("#tool").awaitedValue === null && document.querySelector("#tool").map.countOf(2) > 0`);
      assert.deepEqual(await value(), first);
      await press("1");
      await drag([150, 140], [180, 140]);
      assert.deepEqual((await value()).instances.map((i: { label: string }) => i.label), ["Cat", "Cat", "Dog"]);
      assert.equal(new Set((await value()).instances.map((i: { color: string }) => i.color)).size, 3);
    });
  });
});
