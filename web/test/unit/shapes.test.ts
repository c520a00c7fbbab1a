import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxEditor } from "../../src/crowd/bounding-box/boxes.pure.js";
import { hexColour } from "../../src/kit/colours.js";
import { boundsOf, insidePolygon, nearestOnSegment, nearestPoint, nearestSegment, polygonArea } from "../../src/kit/geometry.js";
import type { Point } from "../../src/kit/geometry.js";
import { ListHistory } from "../../src/kit/history.js";
import { Labels } from "../../src/kit/labels.js";
import { PathEditor } from "../../src/kit/path-editor.js";
import { PathKind } from "../../src/kit/path.js";
import { snapShift, snapTo } from "../../src/kit/snap.js";

const p = (x: number, y: number): Point => ({ x, y });
const SQUARE = [p(0, 0), p(10, 0), p(10, 10), p(0, 10)];

const polygons = new PathKind({ member: "polygons", tellsModified: false, closed: true, least: 3, most: Infinity });
const polylines = new PathKind({ member: "polylines", tellsModified: true, closed: false, least: 2, most: Infinity });
const lines = new PathKind({ member: "lines", tellsModified: true, closed: false, least: 2, most: 2 });
const keypoints = new PathKind({ member: "keypoints", tellsModified: false, closed: false, least: 1, most: 1 });

function editor(kind: PathKind): PathEditor {
  const e = new PathEditor(kind);
  e.labels.set(["Cat", "Dog"]);
  e.setImage({ width: 800, height: 533 });
  return e;
}

function draw(e: PathEditor, ...points: Point[]): number {
  for (const point of points) e.extend(point);
  if (e.draft.length > 0) assert.ok(e.finish());
  return e.selected?.id ?? 0;
}

describe("geometry of lines", () => {
  test("bounds, area and inside of a polygon", () => {
    assert.deepEqual(boundsOf([p(5, 7), p(1, 9), p(3, 2)]), { left: 1, top: 2, width: 4, height: 7 });
    assert.deepEqual(boundsOf([]), { left: 0, top: 0, width: 0, height: 0 });
    assert.equal(polygonArea(SQUARE), 100);
    assert.equal(polygonArea([...SQUARE].reverse()), 100);
    assert.equal(insidePolygon(SQUARE, p(5, 5)), true);
    assert.equal(insidePolygon(SQUARE, p(15, 5)), false);
    // A bite out of the right side: its inside is outside.
    assert.equal(insidePolygon([p(0, 0), p(10, 0), p(4, 5), p(10, 10), p(0, 10)], p(8, 5)), false);
  });

  test("the nearest point of a line stays on the line", () => {
    assert.deepEqual(nearestOnSegment(p(0, 0), p(10, 0), p(4, 3)), p(4, 0));
    assert.deepEqual(nearestOnSegment(p(0, 0), p(10, 0), p(-4, 3)), p(0, 0));
    assert.deepEqual(nearestOnSegment(p(2, 2), p(2, 2), p(9, 9)), p(2, 2));
    assert.deepEqual(nearestSegment({ points: SQUARE, closed: true }, p(1, 6)), { segment: 3, point: p(0, 6), distance: 1 });
    assert.equal(nearestSegment({ points: SQUARE, closed: false }, p(1, 6))?.segment, 2, "an open line has no last side");
    assert.equal(nearestSegment({ points: [p(1, 1)], closed: true }, p(0, 0)), null);
  });

  test("the nearest point within reach", () => {
    assert.equal(nearestPoint(SQUARE, p(9, 1), 3), 1);
    assert.equal(nearestPoint(SQUARE, p(5, 5), 3), null);
  });
});

describe("undo without limit", () => {
  test("ten thousand steps go back and forth", () => {
    const history = new ListHistory<number>();
    for (let i = 0; i < 10_000; i++) history.push(i % 3 === 2 ? history.state.slice(1) : [...history.state, i]);
    const end = history.state;
    let steps = 0;
    while (history.undo()) steps++;
    assert.equal(steps, 10_000);
    assert.deepEqual(history.state, []);
    while (history.redo()) steps--;
    assert.equal(steps, 0);
    assert.deepEqual(history.state, end);
  });

  test("a step keeps only what changed", () => {
    const shapes = Array.from({ length: 5000 }, (_, id) => ({ id }));
    const history = new ListHistory<{ id: number }>(shapes);
    history.push(shapes.map((shape) => (shape.id === 2500 ? { id: -1 } : shape)));
    const kept = JSON.stringify((history as unknown as { past: unknown }).past);
    assert.equal(kept, '[{"at":2500,"before":[{"id":2500}],"after":[{"id":-1}]}]');
    history.undo();
    assert.deepEqual(history.state, shapes);
  });

  test("steps of one merge key are one; another key, or settling, begins a new one", () => {
    const history = new ListHistory<string>(["a"]);
    history.push(["b"], "k");
    history.push(["c"], "k");
    history.push(["d"], "other");
    history.settle();
    history.push(["e"], "other");
    const seen: string[] = [];
    while (history.undo()) seen.push(history.state.join());
    assert.deepEqual(seen, ["d", "c", "a"]);
  });
});

describe("labels", () => {
  test("the label in hand stays while it is there; colours and opacity belong to labels", () => {
    const labels = new Labels();
    labels.set(["a", "b"]);
    labels.choose("b");
    labels.choose("nonsense");
    assert.equal(labels.active, "b");
    labels.set(["a"]);
    assert.equal(labels.active, "a");
    labels.setColours(["#123456"]);
    assert.equal(labels.colourOf("a"), "#123456");
    labels.setOpacity("a", 0);
    assert.equal(labels.opacityOf("a"), 0.05, "never out of sight: that is what hiding is for");
    labels.setOpacity("a", 0.5);
    assert.equal(labels.opacityOf("a"), 0.5);
    assert.equal(labels.opacityOf("b"), 1);
  });

  for (const [text, want] of [["#1f9bff", "#1f9bff"], ["1F9BFF", "#1f9bff"], ["#abc", "#aabbcc"], ["blue", null], ["#12", null], [7, null]] as const) {
    test(`hex code ${text}`, () => assert.equal(hexColour(text), want));
  }
});

describe("snapping", () => {
  const outlines = [{ points: SQUARE, closed: true }];
  const image = { width: 800, height: 533 };

  test("to a corner before an edge, to the nearest of either, to nothing out of reach", () => {
    assert.deepEqual(snapTo(p(12, 1), outlines, image, 4), { point: p(10, 0), on: "vertex" });
    assert.deepEqual(snapTo(p(12, 6), outlines, image, 4), { point: p(10, 6), on: "edge" });
    assert.equal(snapTo(p(20, 20), outlines, image, 4), null);
  });

  test("to the picture's border", () => {
    assert.deepEqual(snapTo(p(300, 535), [], image, 4), { point: p(300, 533), on: "edge" });
    assert.deepEqual(snapTo(p(798, 531), [], image, 4), { point: p(800, 533), on: "vertex" });
  });

  test("a shape is shifted by its nearest attracted point", () => {
    assert.deepEqual(snapShift([p(13, 5), p(300, 531)], (q) => snapTo(q, outlines, image, 4)), p(0, 2));
    assert.deepEqual(snapShift([p(50, 50)], (q) => snapTo(q, outlines, image, 4)), p(0, 0));
  });

  test("an editor snaps to visible shapes other than the one that is moved", () => {
    const e = new BoxEditor();
    e.labels.set(["Cat"]);
    e.setImage(image);
    const box = e.add({ left: 100, top: 100, width: 50, height: 50 });
    assert.deepEqual(e.snap(p(152, 120), 4)?.point, p(150, 120));
    assert.equal(e.snap(p(152, 120), 4, box?.id), null);
    e.labels.setHidden("Cat", true);
    assert.equal(e.snap(p(152, 120), 4), null);
  });

  test("keypoints attract nothing: two on one spot could not be told apart", () => {
    const e = editor(keypoints);
    e.extend(p(100, 100));
    assert.equal(e.snap(p(101, 100), 4), null);
  });
});

describe("paths", () => {
  for (const [name, kind, value, want] of [
    ["polygon", polygons, [{ label: "Dog", vertices: [p(1, 2), p(30, 4), p(5, 60)] }], '{"inputImageProperties":{"height":533,"width":800},"polygons":[{"label":"Dog","vertices":[{"x":1,"y":2},{"x":30,"y":4},{"x":5,"y":60}]}]}'],
    ["polyline", polylines, [{ vertices: [p(1, 2), p(30, 4)], label: "Dog" }], '{"inputImageProperties":{"height":533,"width":800},"polylines":[{"label":"Dog","vertices":[{"x":1,"y":2},{"x":30,"y":4}]}],"initialValueModified":false}'],
    ["line", lines, [{ label: "Dog", vertices: [p(1, 2), p(30, 4)] }], '{"inputImageProperties":{"height":533,"width":800},"lines":[{"label":"Dog","vertices":[{"x":1,"y":2},{"x":30,"y":4}]}],"initialValueModified":false}'],
    ["keypoint", keypoints, [{ y: 2, x: "1", label: "Dog" }], '{"inputImageProperties":{"height":533,"width":800},"keypoints":[{"label":"Dog","x":1,"y":2}]}'],
  ] as const) {
    test(`${name}: the answer has the documented keys in their order`, () => {
      const e = editor(kind);
      e.seedWith(value);
      assert.equal(JSON.stringify(e.answer), want);
    });
  }

  test("what is no such shape is left out", () => {
    const read = (kind: PathKind, value: unknown): number => {
      const e = editor(kind);
      e.restore(value);
      return e.all.length;
    };
    assert.equal(read(polygons, [{ label: "Cat", vertices: [p(1, 1), p(2, 2)] }]), 0);
    assert.equal(read(polygons, [{ label: "Cat", vertices: [p(1, 1), p(2, 2), { x: "a", y: 1 }] }]), 0);
    assert.equal(read(lines, [{ label: "Cat", vertices: [p(1, 1), p(2, 2), p(3, 3)] }]), 0);
    assert.equal(read(keypoints, [{ label: "Cat", x: 1 }]), 0);
    assert.equal(read(polylines, { polylines: [{ label: "Cat", vertices: [p(1, 1), p(2, 2)] }] }), 1);
    assert.equal(read(polylines, 7), 0);
  });

  test("points become whole and stay on the picture; a keypoint stays on its pixels", () => {
    const e = editor(polygons);
    draw(e, p(-5, 10.4), p(900, 10.6), p(20, 600));
    assert.deepEqual(e.selected?.points, [p(0, 10), p(800, 11), p(20, 533)]);
    const k = editor(keypoints);
    draw(k, p(900, 600));
    assert.deepEqual(k.selected?.points, [p(799, 532)]);
  });

  test("a keypoint whose label is not among the labels is neither shown nor answered, and comes with its label", () => {
    const e = editor(keypoints);
    e.seedWith([{ label: "Bird", x: 5, y: 5 }, { label: "Cat", x: 9, y: 9 }]);
    assert.deepEqual(e.answer.keypoints, [{ label: "Cat", x: 9, y: 9 }]);
    assert.equal(e.at(p(5, 5), 3), null);
    e.labels.set(["Cat", "Bird"]);
    assert.equal((e.answer.keypoints as unknown[]).length, 2);
    assert.notEqual(e.at(p(5, 5), 3), null);
  });

  test("drawing: a repeated point counts once, too few points are refused, undo takes back the last, redo brings it", () => {
    const e = editor(polygons);
    e.extend(p(10, 10));
    e.extend(p(10, 10));
    e.extend(p(50, 10));
    assert.equal(e.draft.length, 2);
    assert.equal(e.finish(), false);
    e.extend(p(50, 50));
    e.undo();
    assert.equal(e.draft.length, 2);
    e.redo();
    assert.equal(e.draft.length, 3);
    assert.equal(e.finish(), true);
    assert.deepEqual(e.draft, []);
    assert.equal(e.all.length, 1);
    e.undo();
    assert.equal(e.all.length, 0);
  });

  test("a line ends with its second point, a keypoint with its first", () => {
    const l = editor(lines);
    l.extend(p(1, 1));
    assert.equal(l.all.length, 0);
    l.extend(p(9, 9));
    assert.equal(l.all.length, 1);
    const k = editor(keypoints);
    k.extend(p(1, 1));
    assert.equal(k.all.length, 1);
  });

  test("without a label nothing is drawn", () => {
    const e = editor(lines);
    e.labels.set([]);
    assert.equal(e.extend(p(1, 1)), false);
    assert.deepEqual(e.draft, []);
  });

  test("points of the selected path: insert, move, nudge, delete; below the least the path goes", () => {
    const e = editor(polygons);
    draw(e, p(0, 0), p(100, 0), p(100, 100));
    e.insertPoint(2, p(40, 60.2));
    assert.deepEqual(e.selected?.points, [p(0, 0), p(100, 0), p(100, 100), p(40, 60)]);
    assert.equal(e.activePoint, 3);
    e.nudgeActive(1, 0);
    e.nudgeActive(1, 0);
    assert.deepEqual(e.selected?.points[3], p(42, 60));
    e.placePoint(1, p(90, 5));
    assert.deepEqual(e.selected?.points[1], p(90, 5));
    e.removeActive();
    assert.equal(e.selected?.points.length, 3);
    e.removeActive();
    assert.equal(e.all.length, 0);
    e.undo();
    e.undo();
    e.undo();
    e.undo();
    assert.deepEqual(e.all[0]?.points, [p(0, 0), p(100, 0), p(100, 100), p(40, 60)], "the run of nudges is one step");
  });

  test("stepping through points; splitting after the active one; an open end is split before it", () => {
    const e = editor(polylines);
    draw(e, p(0, 0), p(100, 0));
    e.stepPoint(-1);
    assert.equal(e.activePoint, 1);
    e.splitAfterActive();
    assert.deepEqual(e.selected?.points, [p(0, 0), p(50, 0), p(100, 0)]);
    e.stepPoint(1);
    e.stepPoint(1);
    assert.equal(e.activePoint, 0);
    const l = editor(lines);
    draw(l, p(0, 0), p(100, 0));
    l.stepPoint(1);
    l.splitAfterActive();
    assert.equal(l.selected?.points.length, 2, "a line has two points for good");
  });

  test("a path moves as a whole within the picture", () => {
    const e = editor(polylines);
    const id = draw(e, p(700, 10), p(790, 20));
    e.nudge(id, 50, -50);
    assert.deepEqual(e.selected?.points, [p(710, 0), p(800, 10)]);
  });

  test("pointing means the nearest line, then the smallest polygon around", () => {
    const e = editor(polygons);
    const large = draw(e, p(0, 0), p(400, 0), p(400, 400), p(0, 400));
    const small = draw(e, p(100, 100), p(150, 100), p(150, 150), p(100, 150));
    assert.equal(e.at(p(125, 125), 3)?.id, small);
    assert.equal(e.at(p(300, 300), 3)?.id, large);
    assert.equal(e.at(p(700, 500), 3), null);
  });

  test("copy and paste: beside the original, then in a row, or around a place; labels come along", () => {
    const e = editor(polygons);
    draw(e, p(10, 10), p(30, 10), p(30, 30));
    e.paste();
    assert.equal(e.all.length, 1, "nothing was copied yet");
    e.copy();
    e.paste();
    e.paste();
    assert.deepEqual(e.all.map((path) => path.points[0]), [p(10, 10), p(22, 22), p(34, 34)]);
    e.labels.choose("Dog");
    e.paste(p(200, 200));
    assert.deepEqual(e.selected?.points[0], p(190, 190));
    assert.equal(e.selected?.label, "Cat");
    e.cut();
    assert.equal(e.all.length, 3);
    e.paste(p(300, 300));
    assert.equal(e.all.length, 4);
    assert.equal(new Set(e.all.map((path) => path.id)).size, 4);
  });

  test("initialValueModified comes back to false by undo", () => {
    const e = editor(lines);
    e.seedWith([{ label: "Cat", vertices: [p(1, 1), p(9, 9)] }]);
    e.nudge(e.all[0]?.id ?? 0, 1, 0);
    assert.equal(e.answer.initialValueModified, true);
    e.undo();
    assert.equal(e.answer.initialValueModified, false);
    assert.equal("initialValueModified" in editor(lines).answer, false);
  });
});
