import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flagOf, mergeAnswer } from "../../src/crowd/form/answer.pure.js";
import { BoxEditor } from "../../src/crowd/bounding-box/boxes.pure.js";

const rect = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });

function editor(): BoxEditor {
  const e = new BoxEditor();
  e.labels.set(["Cat", "Dog"]);
  e.setImage({ width: 800, height: 533 });
  return e;
}

describe("answers", () => {
  test("flags of one name are merged", () => {
    assert.deepEqual(
      mergeAnswer([
        { name: "image_attributes", flag: "blurry", on: true },
        { name: "image_attributes", flag: "dim", on: false },
        { name: "other", flag: "on", on: true },
      ]),
      { image_attributes: { blurry: true, dim: false }, other: { on: true } },
    );
  });

  for (const [name, values, want] of [
    ["the later wins", ["a", "b"], "b"],
    ["but an empty one does not push a filled one out", ["a", ""], "a"],
    ["an empty one alone stays", ["", ""], ""],
  ] as const) {
    test(`two fields of one name: ${name}`, () => assert.deepEqual(mergeAnswer(values.map((value) => ({ name: "x", value }))), { x: want }));
  }

  test("a field without a name is left out; one named __proto__ is a field like others", () => {
    const answer = mergeAnswer([{ name: "", value: "lost" }, { name: "__proto__", value: "kept" }]);
    assert.equal(JSON.stringify(answer), '{"__proto__":"kept"}');
    assert.equal(Object.getPrototypeOf(answer), Object.prototype);
  });

  test("a flag of an answer that does not fit is no flag", () => {
    assert.equal(flagOf({ on: true }, "on"), true);
    assert.equal(flagOf({ on: "yes" }, "on"), null);
    assert.equal(flagOf("text", "on"), null);
    assert.equal(flagOf({}, "toString"), null);
  });
});

describe("boxes", () => {
  test("what is no box is left out; numbers may be text; an answer object is taken, too", () => {
    const good = { left: "10", top: 20, width: 30, height: 40, label: "Dog" };
    const want = [{ label: "Dog", left: 10, top: 20, width: 30, height: 40 }];
    const read = (value: unknown): unknown => {
      const e = editor();
      e.restore(value);
      return e.all.map(({ label, left, top, width, height }) => ({ label, left, top, width, height }));
    };
    assert.deepEqual(read([good, null, { left: 1 }, { ...good, width: 0 }, { ...good, top: "" }]), want);
    assert.deepEqual(read({ boundingBoxes: [good] }), want);
    assert.deepEqual(read("nonsense"), []);
    assert.deepEqual(read([{ left: 1, top: 2, width: 3, height: 4 }]), [{ label: "Cat", left: 1, top: 2, width: 3, height: 4 }]);
  });

  test("the answer has the documented keys and nothing else", () => {
    const e = editor();
    e.add(rect(10.2, 20.7, 30, 40));
    assert.equal(JSON.stringify(e.answer), '{"boundingBoxes":[{"height":40,"label":"Cat","left":10,"top":21,"width":30}],"inputImageProperties":{"height":533,"width":800}}');
  });

  test("initialValueModified is there only with an initial value, and comes back to false by undo", () => {
    const e = editor();
    e.seedWith([{ ...rect(1, 2, 30, 40), label: "Cat" }]);
    assert.equal(e.answer.initialValueModified, false);
    const id = e.all[0]?.id ?? 0;
    e.nudge(id, 5, 0);
    assert.equal(e.answer.initialValueModified, true);
    e.undo();
    assert.equal(e.answer.initialValueModified, false);
    assert.equal("initialValueModified" in editor().answer, false);
  });

  test("an initial value that comes before the picture is cut to it afterwards, and that is no change", () => {
    const e = new BoxEditor();
    e.labels.set(["Cat"]);
    e.seedWith([{ ...rect(790, 500, 100, 100), label: "Cat" }]);
    e.setImage({ width: 800, height: 533 });
    assert.deepEqual(e.answer, {
      boundingBoxes: [{ height: 33, label: "Cat", left: 790, top: 500, width: 10 }],
      inputImageProperties: { height: 533, width: 800 },
      initialValueModified: false,
    });
  });

  test("a run of nudges is undone at once, a draft not at all", () => {
    const e = editor();
    e.restore({ boundingBoxes: [{ ...rect(100, 100, 50, 50), label: "Dog" }] });
    assert.equal(e.canUndo, false);
    const id = e.all[0]?.id ?? 0;
    for (let i = 0; i < 7; i++) e.nudge(id, 1, 0);
    assert.equal(e.all[0]?.left, 107);
    e.undo();
    assert.equal(e.all[0]?.left, 100);
    assert.equal(e.canUndo, false);
  });

  test("without a label nothing is drawn", () => {
    const e = editor();
    e.labels.set([]);
    assert.equal(e.add(rect(0, 0, 10, 10)), null);
    assert.equal(e.all.length, 0);
  });

  test("pointing means the nearest outline, then the smallest box around", () => {
    const e = editor();
    const large = e.add(rect(0, 0, 400, 400))?.id;
    const small = e.add(rect(100, 100, 50, 50))?.id;
    assert.equal(e.at({ x: 125, y: 125 }, 3)?.id, small);
    assert.equal(e.at({ x: 300, y: 300 }, 3)?.id, large);
    assert.equal(e.at({ x: 1, y: 200 }, 3)?.id, large);
    assert.equal(e.at({ x: 700, y: 500 }, 3), null);
    e.labels.setHidden("Cat", true);
    assert.equal(e.at({ x: 125, y: 125 }, 3), null);
  });

  test("hiding a label hides nothing from the answer", () => {
    const e = editor();
    e.add(rect(0, 0, 10, 10));
    e.labels.setHidden("Cat", true);
    assert.equal((e.answer.boundingBoxes as object[]).length, 1);
  });

  test("stretching stays within the picture", () => {
    const e = editor();
    const id = e.add(rect(780, 500, 10, 10))?.id ?? 0;
    e.stretch(id, 100, -100);
    assert.deepEqual((e.answer.boundingBoxes as object[]), [{ height: 1, label: "Cat", left: 780, top: 500, width: 20 }]);
  });
});
