import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Drawing, SIZE, commonTests } from "./drawing.js";

describe("crowd-keypoint", () => {
  const drawing = new Drawing("keypoint");
  commonTests(drawing, {
    member: "keypoints",
    one: "keypoint",
    title: "Keypoints",
    shapes: [
      { label: "Cat", x: 155, y: 275 },
      { label: "Dog", x: 491, y: 413 },
    ],
    tellsModified: false,
    grip: [156, 274],
    nudged: { label: "Cat", x: 156, y: 275 },
  });

  const keypoints = async (): Promise<any[]> => (await drawing.value()).keypoints;

  test("clicks place keypoints; the answer is the documented one", async () => {
    await drawing.open();
    await drawing.press("2");
    await drawing.click([155, 275]);
    await drawing.press("Escape", "1");
    await drawing.click([341, 447]);
    assert.equal(
      JSON.stringify(await drawing.bench.submit()),
      JSON.stringify({ annotatedResult: { inputImageProperties: SIZE, keypoints: [{ label: "Dog", x: 155, y: 275 }, { label: "Cat", x: 341, y: 447 }] } }),
    );
  });

  test("a press that is dragged places where it is let go; a keypoint is moved by dragging it", async () => {
    await drawing.open();
    await drawing.drag([100, 100], [140, 120]);
    assert.deepEqual(await keypoints(), [{ label: "Cat", x: 140, y: 120 }]);
    await drawing.press("Escape");
    await drawing.drag([140, 120], [200, 150]);
    assert.deepEqual(await keypoints(), [{ label: "Cat", x: 200, y: 150 }]);
    await drawing.click([798, 530]);
    assert.deepEqual((await keypoints())[1], { label: "Cat", x: 798, y: 530 });
  });

  test("an initial keypoint whose label is not among the labels is neither rendered nor answered", async () => {
    await drawing.open(`initial-value="[{label: 'Bird', x: 10, y: 10}, {label: 'Dog', x: 20, y: 20}]"`);
    assert.deepEqual(await keypoints(), [{ label: "Dog", x: 20, y: 20 }]);
    assert.equal(await drawing.bench.frame.getByRole("option").count(), 1);
  });

  test("a template's script counts keypoints when the form is submitted", async () => {
    await drawing.open("", "");
    await drawing.bench.frame.evaluate(`document.querySelector("crowd-form").onsubmit = (e) => {
      const points = annotator.value.keypoints || annotator._submittableValue.keypoints;
      if (points.length !== 2) { e.preventDefault(); document.body.append("two are needed"); }
    }`);
    await drawing.click([100, 100]);
    await drawing.bench.frame.getByRole("button", { name: "Submit" }).click();
    await drawing.bench.frame.getByText("two are needed").waitFor();
    await drawing.press("Escape");
    await drawing.click([300, 100]);
    assert.equal((await drawing.bench.submit()).annotatedResult.keypoints.length, 2);
  });

  test("a keyboard alone places and moves a keypoint", async () => {
    await drawing.open();
    await drawing.bench.frame.locator(".stage").focus();
    await drawing.press("n");
    const [before] = await keypoints();
    await drawing.press("ArrowLeft", "Shift+ArrowDown");
    assert.deepEqual(await keypoints(), [{ label: "Cat", x: before.x - 1, y: before.y + 10 }]);
  });
});
