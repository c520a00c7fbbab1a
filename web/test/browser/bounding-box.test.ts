import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png, turnedJpeg } from "./pictures.js";

const TEMPLATE = `
<crowd-form>
  <crowd-bounding-box id="annotator" name="annotatedResult" src="/picture.png"
    header="Draw boxes around all the cats and dogs" labels="['Cat', 'Dog',]">
    <full-instructions header="How to draw boxes"><p>In full.</p></full-instructions>
    <short-instructions>Draw boxes around the animals.</short-instructions>
  </crowd-bounding-box>
</crowd-form>`;

describe("crowd-bounding-box", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser({ touch: true });
    const picture = png(800, 533);
    site.handlers.set("/picture.png", (_request, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });
  afterEach(() => bench.close());

  async function open(template = TEMPLATE, draft: unknown = null): Promise<void> {
    bench = await Bench.open(site, browser.context, template, { draft });
    await bench.pictureReady("crowd-bounding-box");
  }

  /** Where an image pixel lies on the page. */
  async function at(x: number, y: number): Promise<[number, number]> {
    return (await bench.frame.evaluate(
      `(() => { const t = document.querySelector("crowd-bounding-box"); const r = t.stage.root.getBoundingClientRect(); const v = t.stage.view;
        return [r.left + v.x + ${x} * v.scale, r.top + v.y + ${y} * v.scale]; })()`,
    )) as [number, number];
  }

  async function drag(from: [number, number], to: [number, number]): Promise<void> {
    await bench.page.mouse.move(...(await at(...from)));
    await bench.page.mouse.down();
    const [x, y] = await at(...to);
    await bench.page.mouse.move(x - 3, y - 3);
    await bench.page.mouse.move(x, y);
    await bench.page.mouse.up();
  }

  const value = (): Promise<any> => bench.frame.evaluate(`document.querySelector("crowd-bounding-box").value`);

  test("a drag draws a box in the picture's own pixels", async () => {
    await open();
    await drag([100, 80], [300, 260]);
    assert.deepEqual(await bench.submit(), {
      annotatedResult: {
        boundingBoxes: [{ height: 180, label: "Cat", left: 100, top: 80, width: 200 }],
        inputImageProperties: { height: 533, width: 800 },
      },
    });
  });

  const boxes = async (): Promise<any[]> => (await value()).boundingBoxes;
  const click = async (x: number, y: number): Promise<void> => bench.page.mouse.click(...(await at(x, y)));

  test("the label in hand is chosen by key or click; a digit relabels the selected box", async () => {
    await open();
    await bench.page.keyboard.press("2");
    await drag([10, 10], [60, 60]);
    assert.equal((await boxes())[0].label, "Dog");
    await bench.page.keyboard.press("1");
    assert.equal((await boxes())[0].label, "Cat");
    await bench.page.keyboard.press("Escape");
    await bench.frame.getByRole("radio", { name: /Dog/ }).click();
    await drag([200, 200], [260, 260]);
    assert.deepEqual((await boxes()).map((box) => box.label), ["Cat", "Dog"]);
  });

  test("the selected box is moved by its inside and resized by its eight handles", async () => {
    await open();
    await drag([100, 100], [300, 260]);
    await drag([200, 180], [230, 200]);
    assert.deepEqual((await boxes())[0], { height: 160, label: "Cat", left: 130, top: 120, width: 200 });
    for (const [from, to, want] of [
      [[130, 120], [120, 110], [120, 110, 210, 170]],
      [[225, 110], [225, 100], [120, 100, 210, 180]],
      [[330, 100], [340, 90], [120, 90, 220, 190]],
      [[340, 185], [350, 185], [120, 90, 230, 190]],
      [[350, 280], [360, 290], [120, 90, 240, 200]],
      [[240, 290], [240, 300], [120, 90, 240, 210]],
      [[120, 300], [110, 310], [110, 90, 250, 220]],
      [[110, 200], [100, 200], [100, 90, 260, 220]],
    ] as const) {
      await drag([...from], [...to]);
      const box = (await boxes())[0];
      assert.deepEqual([box.left, box.top, box.width, box.height], want);
    }
  });

  test("boxes are cut to the picture", async () => {
    await open();
    await drag([700, 450], [900, 700]);
    assert.deepEqual((await boxes())[0], { height: 83, label: "Cat", left: 700, top: 450, width: 100 });
  });

  test("undo, redo, delete, duplicate, nudge and stretch by keys", async () => {
    await open();
    await drag([100, 100], [200, 200]);
    const { keyboard } = bench.page;
    await keyboard.press("ArrowRight");
    await keyboard.press("Shift+ArrowDown");
    await keyboard.press("Control+ArrowRight");
    assert.deepEqual((await boxes())[0], { height: 100, label: "Cat", left: 101, top: 110, width: 101 });
    await keyboard.press("Control+d");
    assert.equal((await boxes()).length, 2);
    await keyboard.press("Delete");
    assert.equal((await boxes()).length, 1);
    await keyboard.press("Control+z");
    assert.equal((await boxes()).length, 2);
    await keyboard.press("Control+Shift+z");
    assert.equal((await boxes()).length, 1);
    for (let i = 0; i < 5; i++) await keyboard.press("Control+z");
    assert.equal((await boxes()).length, 0);
    await keyboard.press("Control+y");
    assert.deepEqual((await boxes())[0], { height: 100, label: "Cat", left: 100, top: 100, width: 100 });
  });

  test("Shift draws within the selected box; a click selects the smaller one", async () => {
    await open();
    await drag([100, 100], [400, 400]);
    await bench.page.keyboard.down("Shift");
    await drag([200, 200], [260, 260]);
    await bench.page.keyboard.up("Shift");
    assert.equal((await boxes()).length, 2);
    await click(600, 50);
    await click(230, 230);
    await bench.page.keyboard.press("Delete");
    assert.deepEqual((await boxes()).map((box) => box.width), [300]);
  });

  test("the wheel zooms to the pointer; middle button and space pan; numbers stay the picture's", async () => {
    await open();
    const pointer = await at(400, 300);
    await bench.page.mouse.move(...pointer);
    for (let i = 0; i < 4; i++) await bench.page.mouse.wheel(0, -240);
    await bench.frame.waitForFunction(`document.querySelector("crowd-bounding-box").stage.view.scale > 4`);
    const [x, y] = await at(400, 300);
    assert.ok(Math.hypot(x - pointer[0], y - pointer[1]) < 1, "the point under the pointer stays");
    await bench.page.mouse.down({ button: "middle" });
    await bench.page.mouse.move(pointer[0] + 50, pointer[1] + 20);
    await bench.page.mouse.up({ button: "middle" });
    const [x2] = await at(400, 300);
    assert.ok(Math.abs(x2 - x - 50) < 1);
    await bench.page.keyboard.down("Space");
    await bench.page.mouse.down();
    await bench.page.mouse.move(pointer[0], pointer[1] + 20);
    await bench.page.mouse.up();
    await bench.page.keyboard.up("Space");
    const [x3] = await at(400, 300);
    assert.ok(Math.abs(x3 - x) < 1);
    assert.equal((await boxes()).length, 0);
    await drag([380, 290], [420, 310]);
    const box = (await boxes())[0];
    assert.deepEqual([box.left, box.top, box.width, box.height], [380, 290, 40, 20]);
  });

  test("a keyboard alone draws, chooses in the list and deletes", async () => {
    await open();
    const { keyboard } = bench.page;
    await bench.frame.locator(".stage").focus();
    await keyboard.press("n");
    await keyboard.press("n");
    for (let i = 0; i < 3; i++) await keyboard.press("Control+Shift+ArrowLeft");
    const before = await boxes();
    assert.equal(before.length, 2);
    const list = bench.frame.getByRole("listbox", { name: "Boxes" });
    await list.focus();
    await keyboard.press("Home");
    assert.match((await bench.frame.locator('[role=option][aria-selected="true"]').getAttribute("aria-label")) ?? "", /^Cat, \d+ by \d+ pixels/);
    await keyboard.press("Delete");
    assert.deepEqual(await boxes(), [before[1]]);
  });

  test("an initial value is shown, and the answer says whether it was changed", async () => {
    const template = TEMPLATE.replace('id="annotator"', `id="annotator" initial-value="[{height: 100, label: 'Dog', left: 50, top: 60, width: 80},]"`);
    await open(template);
    assert.equal((await bench.submit()).annotatedResult.initialValueModified, false);
    await bench.close();
    await open(template);
    await click(90, 110);
    await bench.page.keyboard.press("ArrowRight");
    const { annotatedResult } = await bench.submit();
    assert.equal(annotatedResult.initialValueModified, true);
    assert.equal(annotatedResult.boundingBoxes[0].left, 51);
  });

  test("nothing drawn needs a second Submit", async () => {
    await open();
    const submit = bench.frame.getByRole("button", { name: "Submit" });
    await submit.click();
    await bench.frame.getByText("No boxes are drawn").waitFor();
    assert.deepEqual(await bench.said("submit"), []);
    assert.deepEqual((await bench.submit()).annotatedResult.boundingBoxes, []);
  });

  test("labels are live, and the attribute stays as it was written", async () => {
    await open();
    const result = await bench.frame.evaluate(`(() => { annotator.labels = annotator.labels.concat(["Bird"]); return [annotator.labels, annotator.getAttribute("labels")]; })()`);
    assert.deepEqual(result, [["Cat", "Dog", "Bird"], "['Cat', 'Dog',]"]);
    await bench.frame.getByRole("radio", { name: /Bird/ }).click();
    await drag([10, 10], [50, 50]);
    assert.equal((await boxes())[0].label, "Bird");
  });

  test("a draft comes back, and an edit is told to the page", async () => {
    const draft = { annotatedResult: { boundingBoxes: [{ height: 10, label: "Dog", left: 1, top: 2, width: 30 }], inputImageProperties: { height: 533, width: 800 } } };
    await open(TEMPLATE, draft);
    assert.deepEqual(await value(), draft.annotatedResult);
    await drag([100, 100], [150, 150]);
    const change = await bench.waitFor("change");
    assert.equal(change.answer.annotatedResult.boundingBoxes.length, 2);
  });

  test("a hidden label cannot be pointed at, but counts", async () => {
    await open();
    await drag([100, 100], [200, 200]);
    await bench.frame.getByRole("button", { name: "Hide Cat" }).click();
    await click(150, 150);
    await bench.page.keyboard.press("Delete");
    assert.equal((await boxes()).length, 1);
  });

  test("a picture without leave to be read works as well", async () => {
    const picture = png(320, 200);
    site.handlers.set("/strange.png", (_request, response) => void response.writeHead(200, { "Content-Type": "image/png" }).end(picture));
    await open(TEMPLATE.replace("/picture.png", "/strange.png"));
    assert.deepEqual((await value()).inputImageProperties, { height: 200, width: 320 });
    assert.deepEqual(await bench.said("media-error"), []);
  });

  test("a picture that cannot be opened is said at the tool and told to the page", async () => {
    site.handlers.set("/denied.png", (_request, response) => void response.writeHead(403).end());
    bench = await Bench.open(site, browser.context, TEMPLATE.replace("/picture.png", "/denied.png"));
    assert.match((await bench.waitFor("media-error")).url ?? "", /denied\.png$/);
    await bench.frame.getByText("The picture could not be opened").waitFor();
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(await bench.said("submit"), []);
  });

  // The numbers are applied to the file's raster by programs that know nothing of EXIF.
  test("stored pixels count, not turned ones", async () => {
    const turned = turnedJpeg();
    site.handlers.set("/turned.jpg", (_request, response) => void response.writeHead(200, { "Content-Type": "image/jpeg", "Access-Control-Allow-Origin": "*" }).end(turned.bytes));
    await open(TEMPLATE.replace("/picture.png", "/turned.jpg"));
    assert.deepEqual((await value()).inputImageProperties, { height: turned.height, width: turned.width });
  });

  test("the overview shows where one is while part of the picture is out of sight; a press brings that place to the middle", async () => {
    await open();
    const map = bench.frame.locator(".minimap");
    await map.waitFor({ state: "hidden" });
    await bench.page.mouse.move(...(await at(400, 300)));
    for (let i = 0; i < 4; i++) await bench.page.mouse.wheel(0, -240);
    await map.waitFor();
    await bench.page.screenshot();
    const box = await map.boundingBox();
    assert.ok(box && box.width > 100);
    await bench.page.mouse.click(box.x + box.width / 4, box.y + box.height / 4);
    const middle = (await bench.frame.evaluate(`(() => { const { view, screen } = annotator.stage; return [(screen.width / 2 - view.x) / view.scale, (screen.height / 2 - view.y) / view.scale]; })()`)) as [number, number];
    assert.ok(Math.abs(middle[0] - 200) < 8 && Math.abs(middle[1] - 133) < 8, middle.join());
    assert.equal((await boxes()).length, 0);
    await bench.page.keyboard.press("m");
    await map.waitFor({ state: "hidden" });
  });

  test("brightness, contrast and saturation change the picture, not the shapes, and are no edit", async () => {
    await open();
    await bench.frame.locator("summary[aria-label^=Brightness]").click();
    for (const [name, value] of [["Brightness", "150"], ["Contrast", "80"], ["Saturation", "0"]] as const) await bench.frame.getByRole("slider", { name }).fill(value);
    await bench.frame.waitForFunction(`annotator.shadowRoot.querySelector(".picture").style.filter === "brightness(1.5) contrast(0.8) saturate(0)" || annotator.shadowRoot.querySelector(".picture").style.filter === "brightness(150%) contrast(80%) saturate(0%)"`);
    assert.equal(await bench.frame.evaluate(`annotator.shadowRoot.querySelector("canvas").style.filter`), "");
    await bench.frame.getByRole("button", { name: "Back to normal" }).click();
    await bench.frame.waitForFunction(`annotator.shadowRoot.querySelector(".picture").style.filter === "none"`);
  });

  test("corners snap to other boxes and to the border; Ctrl lets them be; a click on a box never moves it", async () => {
    await open(TEMPLATE.replace('id="annotator"', `id="annotator" initial-value="[{height: 100, label: 'Dog', left: 100, top: 100, width: 100}]"`));
    await drag([203, 98], [300, 196]);
    assert.deepEqual((await boxes())[1], { height: 96, label: "Cat", left: 200, top: 100, width: 100 });
    await bench.page.keyboard.press("Escape");
    await bench.page.keyboard.down("Control");
    await drag([400, 103], [500, 200]);
    await drag([203, 303], [300, 400]);
    await bench.page.keyboard.up("Control");
    assert.deepEqual((await boxes()).slice(2).map((box) => [box.left, box.top]), [[400, 103], [203, 303]]);
    const before = await boxes();
    await click(250, 350);
    await click(250, 350);
    assert.deepEqual(await boxes(), before);
  });

  test("hundreds of boxes are moved along while the view moves, and painted in their place when it stands", async () => {
    const many = Array.from({ length: 300 }, (_, i) => `{height:10,width:10,label:'Cat',left:${(i % 30) * 25},top:${Math.floor(i / 30) * 50}}`);
    await open(TEMPLATE.replace('id="annotator"', `id="annotator" initial-value="[${many.join()}]"`));
    await bench.frame.evaluate(`(() => { const canvas = annotator.stage.root.querySelector("canvas"); window.moves = []; new MutationObserver(() => moves.push(canvas.style.transform)).observe(canvas, { attributes: true, attributeFilter: ["style"] }); })()`);
    await bench.frame.evaluate(`(annotator.stage.zoom(1.1), annotator.stage.flush(), annotator.stage.pan(20, 0), annotator.stage.flush())`);
    await bench.frame.waitForFunction(`moves.some((move) => move !== "") && moves.at(-1) === ""`);
  });

  test("labels that cannot be read are told to the template's author", async () => {
    await open(TEMPLATE.replace("['Cat', 'Dog',]", "['Cat', "));
    await bench.frame.getByText("The attribute labels cannot be read").waitFor();
  });

  test("one finger draws, two fingers zoom and pan and draw nothing", async () => {
    await open();
    const cdp = await bench.page.context().newCDPSession(bench.page);
    const touch = (type: string, ...points: [number, number][]): Promise<unknown> =>
      cdp.send("Input.dispatchTouchEvent", { type: type as "touchStart", touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    await touch("touchStart", await at(100, 100));
    await touch("touchMove", await at(150, 150));
    await touch("touchMove", await at(200, 200));
    await touch("touchEnd");
    const drawn = (await boxes())[0];
    assert.ok(drawn && Math.abs(drawn.left - 100) <= 1 && Math.abs(drawn.width - 100) <= 2, JSON.stringify(drawn));
    const scale = (): Promise<unknown> => bench.frame.evaluate(`document.querySelector("crowd-bounding-box").stage.view.scale`);
    const before = Number(await scale());
    const [a, b] = [await at(400, 300), await at(500, 300)];
    await touch("touchStart", a);
    await touch("touchStart", a, b);
    await touch("touchMove", a, [b[0] + (b[0] - a[0]), b[1]]);
    await touch("touchEnd");
    assert.ok(Math.abs(Number(await scale()) / before - 2) < 0.05, `zoomed by ${Number(await scale()) / before}`);
    assert.equal((await boxes()).length, 1);
  });
});
