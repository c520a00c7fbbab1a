// The reader of literals against the package json5, which the bundle is too small for.

import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import json5 from "json5";
import { parseLiteral } from "../../src/kit/literal.js";

function outcome(read: (text: string) => unknown, text: string): { readonly value: unknown } | "refused" {
  try {
    return { value: read(text) };
  } catch {
    return "refused";
  }
}

const same = (text: string): void => assert.deepEqual(outcome(parseLiteral, text), outcome((t) => json5.parse(t), text), JSON.stringify(text));

// It warns of separators that are new lines in old browsers.
mock.method(console, "warn", () => undefined);

describe("literals are read as json5 reads them", () => {
  const CASES = [
    "", " ", "null", "true", "false", "nul", "truex", "undefined", "hasOwnProperty", "__proto__", "0", "-0", "+0", "00", "01", "1.", ".5", "-.5", ".", "1e3", "1E-3", "1e", "0x1F", "-0XfF", "0x", "0xg", "5a", "1 2",
    "Infinity", "-Infinity", "NaN", "+NaN", "infinity", "nan", "--1", "- 1", '"a"', "'a'", "'a\"b'", "'a", "'a\"", '"a\nb"', '"a\\\nb"', '"a\\\r\nb"', '"a\\\rb"', '"a\u2028b"', '"\\u2028"', '"a\\\u2028b"',
    '"\\b\\f\\n\\r\\t\\v\\0\\\\\\/\\"\\\'\\a\\z"', '"\\u00e9\\xE9"', '"\\u00e"', '"\\x1"', '"\\xzz"', '"\\01"', '"\\1"', '"\\9"', '"\\0a"', '"\\\\1"', '"\\\\u12"', '"\\ud83d\\ude00"',
    "[]", "[ ]", "[,]", "[1,]", "[1,,2]", "[1 2]", "[1", "[1,", "[[]]", "]", "{}", "{,}", "{a:1}", "{a:1,}", "{'a':1}", '{"a":1,a:2}', "{a 1}", "{a:}", "{a:1 b:2}", "{a:1,,b:2}", "{1:2}", "{a-b:1}", "{$_\u00e9\u200c9:1}", "{\\u0061b:1}", "{\\u:1}", "{null:1,true:2}",
    '{"__proto__":1}', "{__proto__:{x:1}}", "{constructor:1}", "{[a]:1}", "{a:1}}", "//x", "1//x", "1//x\n", "/*x*/1/*y*/", "/*x", "1/*", "/**/", "/***/1", "/", "1/2", "\ufeff1\u00a0\u2003", "1\u200b", "{a:/* ] */[1, // }\n2]}", "`a`", "(1)", "a()", "new Date()",
  ];
  for (const text of CASES) test(JSON.stringify(text), () => same(text));

  test("texts made up of pieces", () => {
    const pieces = ["[", "]", "{", "}", ",", ":", "'", '"', "\\", "a", "b1", "u0041", "x41", "0", "12", ".", "-", "+", "e", "0x", "null", "true", "Infinity", "NaN", " ", "\n", "\r\n", "\u2028", "//", "/*", "*/", "é", "😀", "$", "__proto__"];
    let seed = 7;
    const random = (n: number): number => (seed = (seed * 16807) % 2147483647) % n;
    for (let i = 0; i < 60_000; i++) {
      let text = "";
      for (let n = random(9); n >= 0; n--) text += pieces[random(pieces.length)];
      same(i % 2 === 0 ? text : `[${text}]`);
    }
  });
});

describe("what cannot be read is told", () => {
  for (const [text, message] of [
    ["[1,\n 2 x]", /unexpected "x" at 2:4/],
    ["{ a: 'b' ", /ends too early/],
    ["['a\\x1']", /unexpected "\\\\" at 1:4/],
  ] as const) test(text, () => assert.throws(() => parseLiteral(text), message));

  test("a long text is read, and one too deep is refused", () => {
    assert.equal((parseLiteral(`['${"a".repeat(2_000_000)}',]`) as string[])[0]?.length, 2_000_000);
    assert.throws(() => parseLiteral("[".repeat(200_000)));
  });
});
