import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Drawing, SIZE, commonTests } from "./drawing.js";
import type { Place } from "./drawing.js";

const vertices = (...places: Place[]): object[] => places.map(([x, y]) => ({ x, y }));

describe("crowd-line", () => {
  const drawing = new Drawing("line");
  commonTests(drawing, {
    member: "lines",
    one: "line",
    title: "Lines",
    shapes: [
      { label: "Cat", vertices: vertices([100, 100], [200, 200]) },
      { label: "Dog", vertices: vertices([400, 300], [500, 300]) },
    ],
    tellsModified: true,
    grip: [130, 130],
    nudged: { label: "Cat", vertices: vertices([101, 100], [201, 200]) },
  });

  test("a drag draws a line, and so do two clicks; the answer is the documented one", async () => {
    await drawing.open();
    await drawing.drag([58, 295], [342, 398]);
    await drawing.press("2", "Escape", "1");
    await drawing.click([472, 410], [480, 100]);
    assert.equal(
      JSON.stringify(await drawing.bench.submit()),
      JSON.stringify({ annotatedResult: { inputImageProperties: SIZE, lines: [{ label: "Dog", vertices: vertices([58, 295], [342, 398]) }, { label: "Cat", vertices: vertices([472, 410], [480, 100]) }] } }),
    );
  });

  test("an end is dragged; a line has two points for good", async () => {
    await drawing.open();
    await drawing.drag([100, 100], [300, 100]);
    await drawing.drag([300, 100], [320, 180]);
    assert.deepEqual((await drawing.value()).lines[0].vertices, vertices([100, 100], [320, 180]));
    await drawing.press(".", "i");
    assert.equal((await drawing.value()).lines[0].vertices.length, 2);
    await drawing.press("Delete");
    assert.equal((await drawing.value()).lines.length, 0);
  });

  test("an end snaps to another line's end", async () => {
    await drawing.open();
    await drawing.drag([100, 100], [300, 100]);
    await drawing.press("Escape");
    await drawing.drag([500, 300], [303, 103]);
    assert.deepEqual((await drawing.value()).lines[1].vertices, vertices([500, 300], [300, 100]));
  });

  test("a keyboard alone draws a line", async () => {
    await drawing.open();
    await drawing.bench.frame.locator(".stage").focus();
    await drawing.press("n", "Shift+ArrowRight", "n");
    const [a, b] = (await drawing.value()).lines[0].vertices;
    assert.ok(b.x - a.x >= 10 && a.y === b.y);
  });

  test("label-colors colours labels in their order", async () => {
    await drawing.open(`label-colors="['#ff0000', '#00f']"`);
    assert.deepEqual(await drawing.bench.frame.evaluate(`["Cat", "Dog"].map((label) => annotator.palette.colourOf(label))`), ["#ff0000", "#0000ff"]);
  });
});
