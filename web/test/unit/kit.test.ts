import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { intersects } from "../../src/kit/geometry.js";
import { History } from "../../src/kit/history.js";
import { digitOf, strokeOf } from "../../src/kit/keyboard.js";
import { namesOf, parseLoose } from "../../src/kit/loose.js";
import { SpatialIndex } from "../../src/kit/spatial-index.js";

describe("loose literals", () => {
  for (const [name, text, want] of [
    ["single quotes", "['Cat', 'Dog']", ["Cat", "Dog"]],
    ["a bare key", "{ text: 'None of the above' }", { text: "None of the above" }],
    ["trailing commas and lines, as Liquid loops leave them", "[\n  'a',\n  'b',\n]", ["a", "b"]],
    ["comments", "[ // first\n 'a', /* second */ 'b' ]", ["a", "b"]],
    ["JSON", '["a", {"b": 1}]', ["a", { b: 1 }]],
    ["entities left over from escaping twice", "[&quot;a &amp; b&quot;]", ["a & b"]],
    ["an entity within a readable literal is text", "['a &amp; b']", ["a &amp; b"]],
    ["a key that would reach for the prototype is only a key", '{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
  ] as const) {
    test(name, () => assert.deepEqual(parseLoose(text), { ok: true, value: want }));
  }

  // Security: an attribute is data of strangers. If a literal were evaluated, these would run.
  for (const text of ["(() => { globalThis.hacked = true })()", "[globalThis.hacked = true]", "`${globalThis.hacked = true}`", "new Date()"]) {
    test(`never evaluated: ${text}`, () => {
      assert.equal(parseLoose(text).ok, false);
      assert.equal("hacked" in globalThis, false);
    });
  }

  test("any text gives a value or a message, and nothing is thrown", () => {
    const alphabet = "[]{}'\",:/*\\ \n0aeN&#;-+.ué";
    let seed = 1;
    for (let i = 0; i < 3000; i++) {
      let text = "";
      for (let n = 0; n < i % 12; n++) text += alphabet[(seed = (seed * 16807) % 2147483647) % alphabet.length];
      const read = parseLoose(text);
      assert.equal(typeof read.ok, "boolean");
    }
  });

  test("names come from text, numbers and objects, once each", () => {
    assert.deepEqual(namesOf(["a", 5, { label: "b" }, { text: "c" }, "a", null, {}]), ["a", "5", "b", "c"]);
    assert.deepEqual(namesOf("no list"), []);
  });
});

describe("history", () => {
  test("undo and redo", () => {
    const history = new History("a");
    history.push("b");
    history.push("c");
    assert.equal(history.undo() && history.state, "b");
    assert.equal(history.redo() && history.state, "c");
    assert.equal(history.redo(), false);
    history.undo();
    history.push("d");
    assert.equal(history.canRedo, false);
    history.undo();
    history.undo();
    assert.equal(history.state, "a");
    assert.equal(history.undo(), false);
  });

  test("edits with one merge key are one step, until something else comes between", () => {
    const history = new History(0);
    history.push(1, "nudge");
    history.push(2, "nudge");
    history.settle();
    history.push(3, "nudge");
    history.undo();
    assert.equal(history.state, 2);
    history.undo();
    assert.equal(history.state, 0);
  });

  test("the oldest steps go first", () => {
    const history = new History(0, 3);
    for (let i = 1; i <= 10; i++) history.push(i);
    while (history.undo());
    assert.equal(history.state, 7);
  });
});

describe("spatial index", () => {
  test("finds what a look at everything finds, while things come, move and go", () => {
    let seed = 42;
    const random = (n: number): number => (seed = (seed * 16807) % 2147483647) % n;
    const index = new SpatialIndex<number>();
    const rects = new Map<number, { left: number; top: number; width: number; height: number }>();
    for (let i = 0; i < 1500; i++) {
      const id = random(400);
      if (random(5) === 0) {
        index.delete(id);
        rects.delete(id);
      } else {
        const big = random(20) === 0 ? 3000 : 200;
        const rect = { left: random(6000) - 300, top: random(4000) - 300, width: 1 + random(big), height: 1 + random(big) };
        index.set(id, rect);
        rects.set(id, rect);
      }
      if (i % 10 !== 0) continue;
      const window = { left: random(6000), top: random(4000), width: random(2500), height: random(1500) };
      const want = [...rects].filter(([, rect]) => intersects(rect, window)).map(([id]) => id);
      assert.deepEqual(index.query(window).sort((a, b) => a - b), want.sort((a, b) => a - b));
    }
    assert.equal(index.size, rects.size);
  });
});

describe("keyboard", () => {
  const stroke = { key: "a", code: "KeyA", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
  for (const [name, event, want] of [
    ["a letter", { key: "Z", ctrlKey: true, shiftKey: true }, "mod+shift+z"],
    ["Command is Ctrl", { key: "z", metaKey: true }, "mod+z"],
    ["plus is plus, with or without Shift", { key: "+", shiftKey: true }, "+"],
    ["an arrow with Shift", { key: "ArrowLeft", shiftKey: true }, "shift+arrowleft"],
    ["space", { key: " " }, "space"],
  ] as const) {
    test(name, () => assert.equal(strokeOf({ ...stroke, ...event }), want));
  }

  test("digits by place for keyboards that need Shift for them", () => {
    assert.equal(digitOf({ ...stroke, key: "é", code: "Digit2" }), 2);
    assert.equal(digitOf({ ...stroke, key: "2", ctrlKey: true }), null);
    assert.equal(digitOf({ ...stroke, key: "!", code: "Digit1", shiftKey: true }), null);
  });
});
