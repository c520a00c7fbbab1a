import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { distanceToOutline, handleAt, moveWithin, rectFromPoints, resizeTo, snapToImage } from "../../src/kit/geometry.js";
import { MAX_SCALE, fitView, minScale, reveal, toImage, toScreen, zoomAt } from "../../src/kit/view.js";

const IMAGE = { width: 800, height: 533 };
const rect = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });

describe("rectangles", () => {
  for (const [name, from, to, want] of [
    ["down right", [10, 20], [30, 50], rect(10, 20, 20, 30)],
    ["up left is the same box", [30, 50], [10, 20], rect(10, 20, 20, 30)],
  ] as const) {
    test(`from points: ${name}`, () => assert.deepEqual(rectFromPoints({ x: from[0], y: from[1] }, { x: to[0], y: to[1] }), want));
  }

  for (const [name, given, want] of [
    ["fractions are rounded at the edges", rect(10.4, 20.6, 20.2, 30), rect(10, 21, 21, 30)],
    ["past the right and bottom it is cut", rect(790, 520, 100, 100), rect(790, 520, 10, 13)],
    ["before the left and top it is cut", rect(-20, -5, 50, 50), rect(0, 0, 30, 45)],
    ["never thinner than a pixel", rect(100, 100, 0.2, 0.2), rect(100, 100, 1, 1)],
    ["wholly outside it is the nearest pixel", rect(900, 900, 10, 10), rect(799, 532, 1, 1)],
  ] as const) {
    test(`snapped: ${name}`, () => assert.deepEqual(snapToImage(given, IMAGE), want));
  }

  test("two boxes that share an edge still share it after rounding", () => {
    const a = snapToImage(rect(10.3, 0, 20.3, 10), IMAGE);
    const b = snapToImage(rect(30.6, 0, 20.3, 10), IMAGE);
    assert.equal(a.left + a.width, b.left);
  });

  test("moving keeps the size at the edge", () => assert.deepEqual(moveWithin(rect(700, 10, 80, 20), 500, -500, IMAGE), rect(720, 0, 80, 20)));

  test("a handle pulled past the other side turns the box over", () => assert.deepEqual(resizeTo(rect(100, 100, 50, 50), "e", { x: 80, y: 0 }), rect(80, 100, 20, 50)));

  for (const [name, p, reach, want] of [
    ["corner", { x: 101, y: 99 }, 8, "nw"],
    ["edge", { x: 125, y: 100 }, 8, "n"],
    ["a corner goes before an edge that is nearer", { x: 104, y: 100 }, 30, "nw"],
    ["inside, nothing", { x: 125, y: 125 }, 8, null],
  ] as const) {
    test(`handle: ${name}`, () => assert.equal(handleAt(rect(100, 100, 50, 50), p, reach), want));
  }

  test("the distance to the outline counts from both sides", () => {
    assert.equal(distanceToOutline(rect(0, 0, 10, 10), { x: 5, y: 3 }), 3);
    assert.equal(distanceToOutline(rect(0, 0, 10, 10), { x: 13, y: 14 }), 5);
  });
});

describe("views", () => {
  const screen = { width: 1000, height: 700 };

  test("fitting centres the picture", () => {
    const view = fitView({ width: 6000, height: 4000 }, screen);
    assert.ok(Math.abs(view.x * 2 + 6000 * view.scale - 1000) < 1e-9);
    assert.ok(6000 * view.scale <= 1000 && 4000 * view.scale <= 700);
  });

  test("zooming keeps what is under the pointer", () => {
    const before = fitView(IMAGE, screen);
    const pointer = { x: 420, y: 333 };
    const under = toImage(before, pointer);
    const after = zoomAt(before, pointer, 3.7, IMAGE, screen);
    const back = toScreen(after, under);
    assert.ok(Math.hypot(back.x - pointer.x, back.y - pointer.y) < 1e-9);
  });

  test("zooming stops at both ends", () => {
    const view = fitView(IMAGE, screen);
    assert.equal(zoomAt(view, { x: 0, y: 0 }, 1e9, IMAGE, screen).scale, MAX_SCALE);
    assert.equal(zoomAt(view, { x: 0, y: 0 }, 1e-9, IMAGE, screen).scale, minScale(IMAGE, screen));
  });

  test("revealing a box in sight moves nothing", () => {
    const view = fitView(IMAGE, screen);
    assert.equal(reveal(view, rect(300, 200, 50, 50), IMAGE, screen), view);
  });
});
