import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LabelMap } from "../../src/kit/label-map.js";
import { fillArea, paintPolygon, paintStroke } from "../../src/kit/label-shapes.js";

function drawn(map: LabelMap): string[] {
  return Array.from({ length: map.size.height }, (_, y) => [...map.data.subarray(y * map.size.width, (y + 1) * map.size.width)].map((v) => (v === 0 ? "." : String(v))).join(""));
}

/** What the map counts must be what is there. */
function checkCounts(map: LabelMap): void {
  const counts = new Map<number, number>();
  for (const value of map.data) counts.set(value, (counts.get(value) ?? 0) + 1);
  for (let value = 0; value < 10; value++) assert.equal(map.countOf(value), counts.get(value) ?? 0, `count of ${value}`);
}

describe("shapes on a label map", () => {
  test("a brush marks the pixels whose middle it covers", () => {
    const map = new LabelMap({ width: 9, height: 7 });
    paintStroke(map, { x: 4.5, y: 3.5 }, { x: 4.5, y: 3.5 }, 2.4, 1, "all");
    assert.deepEqual(drawn(map), [".........", "...111...", "..11111..", "..11111..", "..11111..", "...111...", "........."]);
    checkCounts(map);
  });

  test("the smallest brush marks one pixel, wherever in it one points", () => {
    for (const [x, y] of [[2.5, 1.5], [2.01, 1.01], [2.99, 1.99]] as const) {
      const map = new LabelMap({ width: 4, height: 3 });
      paintStroke(map, { x, y }, { x, y }, 0.5, 1, "all");
      assert.deepEqual(drawn(map), ["....", "..1.", "...."]);
    }
  });

  test("a stroke has no gaps, in any direction", () => {
    for (let turn = 0; turn < 24; turn++) {
      const map = new LabelMap({ width: 101, height: 101 });
      const angle = (turn / 24) * 2 * Math.PI;
      const end = { x: 50.5 + 45 * Math.cos(angle), y: 50.5 + 45 * Math.sin(angle) };
      paintStroke(map, { x: 50.5, y: 50.5 }, end, 3, 1, "all");
      for (let y = 0; y < 101; y++) {
        for (let x = 0; x < 101; x++) {
          const [px, py] = [x + 0.5 - 50.5, y + 0.5 - 50.5];
          const along = Math.max(0, Math.min(45, px * Math.cos(angle) + py * Math.sin(angle)));
          const distance = Math.hypot(px - along * Math.cos(angle), py - along * Math.sin(angle));
          if (Math.abs(distance - 3) > 1e-6) assert.equal(map.at(x, y), distance < 3 ? 1 : 0, `turn ${turn}, pixel ${x}, ${y}`);
        }
      }
    }
  });

  test("what lies outside the picture is not painted", () => {
    const map = new LabelMap({ width: 5, height: 3 });
    paintStroke(map, { x: -3, y: -3 }, { x: 9, y: 9 }, 2, 1, "all");
    paintPolygon(map, [{ x: -5, y: -5 }, { x: 50, y: -5 }, { x: 50, y: 50 }, { x: -5, y: 50 }], 2, "all");
    assert.deepEqual(drawn(map), ["22222", "22222", "22222"]);
  });

  test("over nothing only, other labels stay", () => {
    const map = new LabelMap({ width: 6, height: 1 });
    map.span(0, 0, 2, 1);
    paintPolygon(map, [{ x: 1, y: 0 }, { x: 4, y: 0 }, { x: 4, y: 1 }, { x: 1, y: 1 }], 2, "nothing");
    assert.deepEqual(drawn(map), ["1122.."]);
  });

  test("polygons that share an edge neither overlap nor leave a gap", () => {
    const map = new LabelMap({ width: 40, height: 40 });
    const [a, b, c] = [{ x: 3.3, y: 2.1 }, { x: 35.7, y: 20.2 }, { x: 8.4, y: 37.9 }];
    paintPolygon(map, [a, b, c], 1, "all");
    const one = map.countOf(1);
    paintPolygon(map, [a, b, { x: 38, y: 1 }], 2, "all");
    assert.equal(map.countOf(1), one, "the neighbour took pixels");
    paintPolygon(map, [a, c, b, { x: 38, y: 1 }], 3, "all");
    assert.deepEqual([map.countOf(1), map.countOf(2)], [0, 0]);
  });

  test("a fill takes the connected area, not across corners", () => {
    const map = new LabelMap({ width: 6, height: 4 });
    for (const [x, y] of [[2, 0], [1, 1], [3, 1], [2, 2]] as const) map.span(y, x, x + 1, 1);
    assert.ok(fillArea(map, { x: 2.5, y: 1.5 }, 2));
    assert.deepEqual(drawn(map), ["..1...", ".121..", "..1...", "......"]);
    assert.ok(fillArea(map, { x: 0, y: 0 }, 3));
    assert.deepEqual(drawn(map), ["331333", "312133", "331333", "333333"]);
    assert.equal(fillArea(map, { x: 0, y: 0 }, 3), false);
    assert.equal(fillArea(map, { x: 99, y: 0 }, 3), false);
    checkCounts(map);
  });
});

describe("undo of a label map", () => {
  test("goes back and forth through steps over several tiles", () => {
    const map = new LabelMap({ width: 300, height: 290 });
    const states = [Uint8Array.from(map.data)];
    for (let i = 1; i <= 6; i++) {
      paintStroke(map, { x: 20 * i, y: 30 }, { x: 290 - 10 * i, y: 40 * i }, 12, i, "all");
      assert.ok(map.commit());
      states.push(Uint8Array.from(map.data));
    }
    for (let i = 5; i >= 0; i--) {
      assert.ok(map.undo());
      assert.deepEqual(Uint8Array.from(map.data), states[i]);
      checkCounts(map);
    }
    assert.equal(map.undo(), false);
    for (let i = 1; i <= 6; i++) {
      assert.ok(map.redo());
      assert.deepEqual(Uint8Array.from(map.data), states[i]);
    }
    assert.equal(map.redo(), false);
    checkCounts(map);
  });

  test("a step that changed nothing is none, and a new one ends what could be redone", () => {
    const map = new LabelMap({ width: 10, height: 10 });
    map.span(1, 0, 5, 0);
    assert.equal(map.commit(), false);
    map.span(1, 0, 5, 1);
    map.commit();
    map.undo();
    map.span(2, 0, 5, 1);
    map.commit();
    assert.equal(map.canRedo, false);
  });

  test("a stroke can be abandoned", () => {
    const map = new LabelMap({ width: 10, height: 1 });
    map.span(0, 0, 4, 1);
    map.commit();
    map.span(0, 2, 9, 2);
    map.abandon();
    assert.deepEqual(drawn(map), ["1111......"]);
    assert.equal(map.commit(), false);
    checkCounts(map);
  });

  test("values above 255 widen the map, and undo keeps them", () => {
    const map = new LabelMap({ width: 4, height: 1 });
    map.span(0, 0, 2, 255);
    map.commit();
    map.span(0, 1, 3, 700);
    map.commit();
    assert.deepEqual([...map.data], [255, 700, 700, 0]);
    map.undo();
    assert.deepEqual([...map.data], [255, 255, 0, 0]);
    map.redo();
    assert.deepEqual([...map.data], [255, 700, 700, 0]);
  });

  test("what changed is told, cut to the picture", () => {
    const map = new LabelMap({ width: 100, height: 50 });
    const parts: unknown[] = [];
    map.onChange = (part) => parts.push(part);
    paintStroke(map, { x: 98, y: 2 }, { x: 98, y: 2 }, 5, 1, "all");
    assert.deepEqual(parts, [{ left: 93, top: 0, width: 7, height: 8 }]);
  });

  test("many steps stay within the bound", () => {
    const map = new LabelMap({ width: 256, height: 128 }, 4 << 20);
    // Stripes of one pixel are the worst there is for runs.
    for (let i = 0; i < 60; i++) {
      map.where({ left: 0, top: 0, width: 256, height: 128 }, (x) => (x + i) % 2 === 0, 1 + (i % 200));
      map.commit();
    }
    let steps = 0;
    while (map.undo()) steps++;
    assert.ok(steps > 10 && steps < 59, `${steps} steps`);
  });
});
