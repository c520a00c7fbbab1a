import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Drawing, SIZE, commonTests } from "./drawing.js";
import type { Place } from "./drawing.js";

const vertices = (...places: Place[]): object[] => places.map(([x, y]) => ({ x, y }));

describe("crowd-polyline", () => {
  const drawing = new Drawing("polyline");
  commonTests(drawing, {
    member: "polylines",
    one: "polyline",
    title: "Polylines",
    shapes: [
      { label: "Cat", vertices: vertices([100, 100], [200, 100], [200, 200]) },
      { label: "Dog", vertices: vertices([400, 300], [500, 300]) },
    ],
    tellsModified: true,
    grip: [130, 100],
    nudged: { label: "Cat", vertices: vertices([101, 100], [201, 100], [201, 200]) },
  });

  test("clicks draw, Enter ends; the answer is the documented one", async () => {
    await drawing.open();
    await drawing.click([651, 498], [600, 300], [449, 311]);
    await drawing.press("Enter");
    assert.equal(
      JSON.stringify(await drawing.bench.submit()),
      JSON.stringify({ annotatedResult: { inputImageProperties: SIZE, polylines: [{ label: "Cat", vertices: vertices([651, 498], [600, 300], [449, 311]) }] } }),
    );
  });

  test("the first point is a point like others; one point is too few", async () => {
    await drawing.open();
    await drawing.click([100, 100]);
    await drawing.press("Enter");
    await drawing.bench.frame.getByText("A polyline needs at least 2 points.").waitFor();
    await drawing.click([200, 100], [200, 200], [100, 100], [100, 100]);
    assert.deepEqual((await drawing.value()).polylines[0].vertices, vertices([100, 100], [200, 100], [200, 200], [100, 100]));
  });

  test("label-colors colours labels in their order; what is no hex code is named and the palette's colour stays", async () => {
    await drawing.open(`label-colors="['#ff0000', 'nonsense']"`);
    const { frame } = drawing.bench;
    const colours = (): Promise<unknown> => frame.evaluate(`[...annotator.shadowRoot.querySelectorAll(".label .swatch")].map((s) => getComputedStyle(s).backgroundColor)`);
    assert.deepEqual(await colours(), ["rgb(255, 0, 0)", "rgb(255, 140, 26)"]);
    await frame.getByText(`The attribute label-colors has "nonsense" where a hex code such as "#1f9bff" is expected.`).waitFor();
    await frame.evaluate(`annotator.labelColors = ["#00ff00", "0000ff"]`);
    await frame.getByText("nonsense").waitFor({ state: "hidden" });
    assert.deepEqual(await colours(), ["rgb(0, 255, 0)", "rgb(0, 0, 255)"]);
  });
});
