import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeAnswer } from "../../src/crowd/form/answer.pure.js";
import { fraction, settle } from "../../src/crowd/slider/values.pure.js";

describe("the answer's order", () => {
  test("names, and the flags of a name, are in alphabetical order; what a field says stays as it is", () => {
    const answer = mergeAnswer([
      { name: "Stop", flag: "Red", on: true },
      { name: "Slow", flag: "Yellow", on: false },
      { name: "Go", flag: "Green", on: false },
      { name: "Go", flag: "Blue", on: true },
      { name: "Box", value: { width: 1, height: 2 } },
    ]);
    assert.equal(JSON.stringify(answer), '{"Box":{"width":1,"height":2},"Go":{"Blue":true,"Green":false},"Slow":{"Yellow":false},"Stop":{"Red":true}}');
  });
});

describe("a slider's values", () => {
  for (const [name, value, scale, want] of [
    ["none given is the lowest", NaN, { min: 1, max: 5, step: 1 }, 1],
    ["above", 9, { min: 1, max: 5, step: 1 }, 5],
    ["below", -9, { min: 1, max: 5, step: 1 }, 1],
    ["between two steps", 2.6, { min: 1, max: 5, step: 1 }, 3],
    ["steps count from the lowest", 6, { min: 1, max: 10, step: 3 }, 7],
    ["the highest that steps reach", 10, { min: 0, max: 10, step: 4 }, 8],
    ["no crumbs of binary fractions", 0.3, { min: 0, max: 1, step: 0.1 }, 0.3],
    ["no step, no rounding", 0.123, { min: 0, max: 1, step: 0 }, 0.123],
    ["small steps", 2.5e-7, { min: 0, max: 1e-6, step: 1e-7 }, 3e-7],
  ] as const) {
    test(name, () => assert.equal(settle(value, scale), want));
  }

  test("places on the scale", () => {
    assert.equal(fraction(3, { min: 1, max: 5, step: 1 }), 0.5);
    assert.equal(fraction(30, { min: 1, max: 5, step: 1 }), 1);
    assert.equal(fraction(NaN, { min: 1, max: 5, step: 1 }), 0);
    assert.equal(fraction(1, { min: 1, max: 1, step: 1 }), 0);
  });
});
