import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf, laid, piecesOf } from "../../src/crowd/entity-annotation/layout.pure.js";
import { CodePoints, trimmed, wholeCharacters } from "../../src/crowd/entity-annotation/offsets.pure.js";
import { SpanEditor, readLabels } from "../../src/crowd/entity-annotation/spans.pure.js";

test("units and code points, there and back", () => {
  const text = "a😀b👩‍👩‍👧é\u0301z";
  const points = new CodePoints(text);
  const starts = [...text].map((_, i, all) => all.slice(0, i).join("").length);
  assert.equal(points.length, [...text].length);
  for (const [point, unit] of starts.entries()) {
    assert.equal(points.fromUnit(unit), point);
    assert.equal(points.toUnit(point), unit);
  }
  assert.equal(points.toUnit(points.length), text.length);
});

test("selections take whole characters", () => {
  const text = "x👍🏽e\u0301\u0302y";
  assert.deepEqual(wholeCharacters(text, 2, 3), [1, 5]);
  assert.deepEqual(wholeCharacters(text, 5, 6), [5, 8]);
  assert.deepEqual(wholeCharacters(text, 0, text.length), [0, text.length]);
  assert.deepEqual(trimmed("  a b \n", 0, 7), [2, 5]);
  assert.equal(trimmed("a  b", 1, 3), null);
});

test("blocks cover the text, run one way each, and never cut a pair", () => {
  for (const text of ["", "one", "a\nb\n", "x".repeat(20000), "😀".repeat(9000), "word ".repeat(5000), "שלום\nhello\n12\nעולם", "line\n".repeat(9000)]) {
    const blocks = blocksOf(text);
    assert.equal(blocks.map((b) => text.slice(b.start, b.end)).join(""), text);
    for (const block of blocks) {
      assert.ok(block.end - block.start <= 6000, `${block.end - block.start}`);
      assert.doesNotMatch(text.slice(block.start, block.end), /^[\udc00-\udfff]/);
    }
  }
  assert.deepEqual(blocksOf("שלום\nhello\n12\nעולם").map((b) => b.direction), ["rtl", "ltr", "rtl"]);
});

test("pieces: marks over each, the shortest last; tags where marks end; lanes apart", () => {
  const mark = (id: number, start: number, end: number): { id: number; start: number; end: number; colour: string; tag: string; title: string } => ({ id, start, end, colour: "#123456", tag: "t", title: "T" });
  const marks = laid([mark(1, 0, 12), mark(2, 4, 16), mark(3, 4, 8), mark(4, 20, 22)]);
  assert.deepEqual(marks.map((m) => m.lane), [0, 1, 2, 0]);
  const pieces = piecesOf({ start: 0, end: 18, direction: "ltr" }, marks.slice(0, 3));
  assert.deepEqual(pieces.map((p) => [p.start, p.end, p.marks.map((m) => m.id), p.ending.map((m) => m.id)]), [
    [0, 4, [1], []],
    [4, 8, [1, 2, 3], [3]],
    [8, 12, [1, 2], [1]],
    [12, 16, [2], [2]],
    [16, 18, [], []],
  ]);
});

test("labels are strings or objects; names fall back", () => {
  assert.deepEqual(readLabels(["a", { label: "b", shortDisplayName: "B" }, { label: "c", longDisplayName: "See" }, { label: "a" }, {}, null]).map((l) => [l.label, l.short, l.full]), [["a", "a", "a"], ["b", "B", "b"], ["c", "c", "See"]]);
});

test("what does not lie within the text is left out of an initial value", () => {
  const editor = new SpanEditor();
  editor.setText("😀 abc");
  editor.seedWith([{ label: "x", startOffset: 2, endOffset: 5 }, { label: "x", startOffset: 2, endOffset: 6 }, { label: "x", startOffset: 3, endOffset: 3 }, { label: "x", startOffset: -1, endOffset: 3 }, { startOffset: 0, endOffset: 1 }, 7]);
  assert.equal(JSON.stringify(editor.answer), `{"entities":[{"endOffset":5,"label":"x","startOffset":2}]}`);
  assert.deepEqual(editor.spans.map((s) => [s.start, s.end]), [[3, 6]]);
});

test("undo, redo and reset; a draft that does not fit changes nothing", () => {
  const editor = new SpanEditor();
  editor.setText("one two three");
  editor.seedWith([{ label: "x", startOffset: 0, endOffset: 3 }]);
  editor.add(4, 7, "y");
  editor.restore({ entities: "no" });
  editor.restore(7);
  assert.equal(editor.spans.length, 2);
  editor.undo();
  assert.equal(editor.spans.length, 1);
  editor.redo();
  assert.equal(editor.spans.length, 2);
  editor.reset();
  assert.deepEqual(editor.answer.entities, [{ endOffset: 3, label: "x", startOffset: 0 }]);
});
