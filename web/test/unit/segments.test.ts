import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ColourKey, colourFrom, earlierFrom, freshColour, segmentsFor } from "../../src/crowd/segmentation/segments.pure.js";

describe("colours of segments", () => {
  test("labels have Ground Truth's colours, by place", () => {
    assert.deepEqual(segmentsFor(["Cat", "Dog", "Bird"], []), [
      { label: "Cat", colour: "#1f77b4" },
      { label: "Dog", colour: "#ff7f0e" },
      { label: "Bird", colour: "#2ca02c" },
    ]);
  });

  test("given colours are kept, and nobody else gets them", () => {
    const segments = segmentsFor(["Cat", "Dog", "Bird"], [{ label: "Bird", colour: "#1f77b4" }, { label: "Fish", colour: "#123456" }]);
    assert.deepEqual(segments.map((s) => s.label), ["Cat", "Dog", "Bird", "Fish"]);
    assert.deepEqual([segments[1]?.colour, segments[2]?.colour, segments[3]?.colour], ["#ff7f0e", "#1f77b4", "#123456"]);
    assert.equal(new Set(segments.map((s) => s.colour)).size, 4);
  });

  test("a thousand colours are all different, and none is the background's", () => {
    const taken = new Set<string>();
    for (let i = 0; i < 1000; i++) taken.add(freshColour(taken));
    assert.equal(taken.size, 1000);
    assert.ok(!taken.has("#ffffff"));
    assert.ok([...taken].every((colour) => /^#[0-9a-f]{6}$/.test(colour)));
    assert.equal(new Set(segmentsFor(Array.from({ length: 300 }, (_, i) => `l${i}`), []).map((s) => s.colour)).size, 300);
  });

  test("colours are read in the ways people write them", () => {
    for (const [text, want] of [["#1F77B4", "#1f77b4"], [" #abc ", "#aabbcc"], ["red", ""], ["#12345", ""], [7, ""], [null, ""]] as const) assert.equal(colourFrom(text), want);
  });
});

describe("an earlier segmentation", () => {
  test("is read from each of its forms", () => {
    const bird = [{ label: "Bird", colour: "#2ca02c" }];
    for (const [name, value, want] of [
      ["an initial value", { labelMappings: { Bird: { color: "#2ca02c" } }, src: "https://h/x.png" }, { segments: bird, url: "https://h/x.png" }],
      ["an answer", { labelMappings: { Bird: { color: "#2CA02C" } }, labeledImage: { pngImageData: "AAA" } }, { segments: bird, url: "data:image/png;base64,AAA" }],
      ["instances", { instances: [{ color: "#2ca02c", label: "Bird" }, { color: "#000001", label: "Bird" }], labeledImage: { pngImageData: "AAA" } }, { segments: [...bird, { label: "Bird", colour: "#000001" }], url: "data:image/png;base64,AAA" }],
      ["entries without a colour", { labelMappings: { Bird: { color: "#2ca02c" }, Cat: {}, Dog: 3 }, src: "x" }, { segments: bird, url: "x" }],
      ["no picture", { labelMappings: {} }, null],
      ["no mapping", { src: "x" }, null],
      ["a list", [], null],
    ] as const) {
      assert.deepEqual(earlierFrom(value), want, name);
    }
  });

  test("its picture's colours mean segments, rounded ones too", () => {
    const key = new ColourKey([{ label: "a", colour: "#102030" }, { label: "b", colour: "#ffffff" }]);
    assert.equal(key.valueOf(0x10, 0x20, 0x30, 255), 1);
    assert.equal(key.valueOf(0x12, 0x1f, 0x33, 255), 1);
    assert.equal(key.valueOf(0x10, 0x20, 0x40, 255), 0);
    assert.equal(key.valueOf(255, 255, 255, 255), 2);
    assert.equal(key.valueOf(0x10, 0x20, 0x30, 0), 0);
  });
});
