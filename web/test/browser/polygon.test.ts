import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Drawing, SIZE, commonTests } from "./drawing.js";
import type { Place } from "./drawing.js";

const vertices = (...places: Place[]): object[] => places.map(([x, y]) => ({ x, y }));

describe("crowd-polygon", () => {
  const drawing = new Drawing("polygon");
  commonTests(drawing, {
    member: "polygons",
    one: "polygon",
    title: "Polygons",
    shapes: [
      { label: "Cat", vertices: vertices([100, 100], [200, 100], [150, 200]) },
      { label: "Dog", vertices: vertices([400, 300], [500, 300], [500, 400], [400, 400]) },
    ],
    tellsModified: false,
    grip: [150, 140],
    nudged: { label: "Cat", vertices: vertices([101, 100], [201, 100], [151, 200]) },
  });

  const polygons = async (): Promise<any[]> => (await drawing.value()).polygons;
  const corners = async (n = 0): Promise<number[][]> => (await polygons())[n]?.vertices.map(({ x, y }: any) => [x, y]);

  test("clicks draw in the picture's own pixels; the answer is the documented one", async () => {
    await drawing.open();
    await drawing.click([100, 80], [300, 80], [300, 260]);
    await drawing.press("Enter");
    assert.equal(
      JSON.stringify(await drawing.bench.submit()),
      JSON.stringify({ annotatedResult: { inputImageProperties: SIZE, polygons: [{ label: "Cat", vertices: vertices([100, 80], [300, 80], [300, 260]) }] } }),
    );
  });

  test("a polygon ends by its first point, its last point, a double click, Enter and the button", async () => {
    await drawing.open();
    await drawing.click([20, 20], [120, 20], [120, 120], [20, 20]);
    assert.deepEqual(await corners(0), [[20, 20], [120, 20], [120, 120]]);
    await drawing.click([220, 20], [320, 20], [320, 120], [320, 120]);
    assert.deepEqual(await corners(1), [[220, 20], [320, 20], [320, 120]]);
    await drawing.click([420, 20], [520, 20]);
    await drawing.mouse.dblclick(...(await drawing.at([520, 120])));
    assert.deepEqual(await corners(2), [[420, 20], [520, 20], [520, 120]]);
    await drawing.click([20, 220], [120, 220], [120, 320]);
    await drawing.bench.frame.getByRole("button", { name: "End the polygon (Enter)" }).click();
    assert.deepEqual(await corners(3), [[20, 220], [120, 220], [120, 320]]);
  });

  test("too few points are refused with the reason; Backspace and undo take back the last point; Esc drops all", async () => {
    await drawing.open();
    await drawing.click([100, 100], [200, 100]);
    await drawing.press("Enter");
    await drawing.bench.frame.getByText("A polygon needs at least 3 points.").waitFor();
    await drawing.click([200, 200], [100, 200], [50, 150]);
    await drawing.press("Backspace", "Control+z", "Control+Shift+z", "Enter");
    assert.deepEqual(await corners(), [[100, 100], [200, 100], [200, 200], [100, 200]]);
    await drawing.click([400, 100], [500, 100]);
    await drawing.press("Escape", "Enter");
    assert.equal((await polygons()).length, 1);
  });

  test("what is not finished is not handed in unseen", async () => {
    await drawing.open();
    await drawing.click([100, 100], [200, 100], [200, 200]);
    const submit = drawing.bench.frame.getByRole("button", { name: "Submit" });
    await submit.click();
    await drawing.bench.frame.getByText("A polygon is not finished: press Enter to end it, or Esc to drop it.").waitFor();
    await submit.click();
    assert.deepEqual(await drawing.bench.said("submit"), []);
    await drawing.bench.frame.locator(".stage").focus();
    await drawing.press("Enter");
    assert.equal((await drawing.bench.submit()).annotatedResult.polygons.length, 1);
  });

  test("a drag pans instead of drawing; Shift draws freehand", async () => {
    await drawing.open();
    await drawing.press("+", "+", "+");
    const before = await drawing.at([400, 300]);
    await drawing.drag([400, 300], [440, 330]);
    const moved = await drawing.at([400, 300]);
    assert.ok(Math.hypot(moved[0] - before[0], moved[1] - before[1]) > 20);
    assert.equal((await polygons()).length, 0);
    await drawing.click([380, 260]);
    await drawing.keyboard.down("Shift");
    for (const place of [[400, 260], [420, 270], [430, 290], [410, 300]] as const) await drawing.mouse.move(...(await drawing.at(place)));
    await drawing.keyboard.up("Shift");
    await drawing.press("Enter");
    assert.equal((await corners()).length, 5);
  });

  test("points of the selected polygon: dragged, inserted at a middle and by double click, deleted by Alt and by key", async () => {
    await drawing.open();
    await drawing.click([100, 100], [300, 100], [300, 300], [100, 300]);
    await drawing.press("Enter");
    await drawing.drag([300, 100], [320, 90]);
    assert.deepEqual((await corners())[1], [320, 90]);
    await drawing.drag([200, 300], [200, 340]);
    assert.deepEqual(await corners(), [[100, 100], [320, 90], [300, 300], [200, 340], [100, 300]]);
    await drawing.mouse.dblclick(...(await drawing.at([100, 160])));
    assert.deepEqual((await corners())[5], [100, 160]);
    await drawing.press("Delete");
    assert.equal((await corners()).length, 5);
    await drawing.keyboard.down("Alt");
    await drawing.click([200, 340]);
    await drawing.keyboard.up("Alt");
    assert.deepEqual(await corners(), [[100, 100], [320, 90], [300, 300], [100, 300]]);
  });

  test("the selected polygon moves by its inside; with Shift a click there draws", async () => {
    await drawing.open();
    await drawing.click([100, 100], [300, 100], [300, 300], [100, 300]);
    await drawing.press("Enter");
    await drawing.drag([180, 220], [210, 240]);
    assert.deepEqual((await corners())[0], [130, 120]);
    await drawing.keyboard.down("Shift");
    await drawing.click([180, 180]);
    await drawing.keyboard.up("Shift");
    await drawing.click([240, 180], [240, 240]);
    await drawing.press("Enter");
    assert.equal((await polygons()).length, 2);
  });

  test("points snap to corners and edges of others and to the border; Ctrl or S lets them be", async () => {
    const initial = `initial-value="[{label: 'Dog', vertices: [{x:100,y:100},{x:300,y:100},{x:300,y:300},{x:100,y:300}]}]"`;
    await drawing.open(initial);
    await drawing.click([303, 98], [400, 50], [402, 200], [303, 201]);
    await drawing.press("Enter");
    assert.deepEqual(await corners(1), [[300, 100], [400, 50], [402, 200], [300, 201]]);
    await drawing.click([797, 300], [700, 300], [700, 400]);
    await drawing.press("Enter");
    assert.deepEqual((await corners(2))[0], [800, 300]);
    for (const off of ["held", "switched"]) {
      await drawing.open(initial);
      if (off === "held") await drawing.keyboard.down("Control");
      else await drawing.press("s");
      await drawing.click([303, 97], [400, 50], [402, 200]);
      if (off === "held") await drawing.keyboard.up("Control");
      await drawing.press("Enter");
      assert.deepEqual((await corners(1))[0], [303, 97], off);
    }
  });

  test("a keyboard alone draws a polygon and changes its points", async () => {
    await drawing.open();
    await drawing.bench.frame.locator(".stage").focus();
    await drawing.press("n", "Shift+ArrowRight", "Shift+ArrowRight", "n", "Shift+ArrowDown", "n", "Enter");
    const drawn = await corners();
    assert.equal(drawn.length, 3);
    const [a, b, c] = drawn as [number[], number[], number[]];
    assert.ok(Number(b[0]) - Number(a[0]) >= 20 && b[1] === a[1] && c[0] === b[0] && Number(c[1]) - Number(b[1]) >= 10, JSON.stringify(drawn));
    await drawing.press(".", ".", "ArrowLeft", "i");
    assert.equal((await corners()).length, 4);
    assert.deepEqual((await corners())[1], [Number(b[0]) - 1, b[1]]);
    await drawing.press("Delete", "Escape", "Escape");
    assert.equal((await corners()).length, 3);
  });

  test("fingers: taps draw and close, two zoom and draw nothing", async () => {
    await drawing.open();
    const tap = async (place: Place): Promise<void> => {
      await drawing.touch("touchStart", await drawing.at(place));
      await drawing.touch("touchEnd");
    };
    for (const place of [[100, 100], [250, 100], [250, 250]] as const) await tap(place);
    const before = await drawing.scale();
    const [a, b] = [await drawing.at([400, 300]), await drawing.at([500, 300])];
    await drawing.touch("touchStart", a);
    await drawing.touch("touchStart", a, b);
    await drawing.touch("touchMove", a, [b[0] + (b[0] - a[0]), b[1]]);
    await drawing.touch("touchEnd");
    assert.ok(Math.abs((await drawing.scale()) / before - 2) < 0.05);
    await drawing.press("f");
    await tap([103, 104]);
    const drawn = await corners();
    assert.equal(drawn?.length, 3, "the tap near the first point closed it");
    const want = [[100, 100], [250, 100], [250, 250]];
    assert.ok(drawn.every((corner, i) => corner.every((n, k) => Math.abs(n - Number(want[i]?.[k])) <= 1)), JSON.stringify(drawn));
  });
});
