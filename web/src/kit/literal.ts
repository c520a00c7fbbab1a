// JSON5 (https://spec.json5.org), the part of JavaScript in which worker task
// templates write their attributes. Its own package takes two kilobytes of a bundle
// that has to be small; the tests compare this reader with it.

const GAP = /(?:\s|\/\/.*|\/\*[^]*?\*\/)*/y;
const STRING = /"(?:[^"\\\n\r]|\\(?:\r\n|[^]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[^]))*'/y;
const NUMBER = /([+-]?)(Infinity|NaN|0[xX][\da-fA-F]+|(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;
const NAME = /(?:[\p{ID_Start}$_]|\\u[\da-f]{4})(?:[\p{ID_Continue}$\u200c\u200d]|\\u[\da-f]{4})*/iuy;
const ESCAPE = /\\(?:u([\da-f]{4})|x([\da-f]{2})|(\r\n|[^]))/gi;
const MEANT: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", 0: "\0", "\n": "", "\r": "", "\r\n": "", "\u2028": "", "\u2029": "" };
const WORDS: Readonly<Record<string, unknown>> = { null: null, true: true, false: false };

/** Reads a literal; throws where it is not one. */
export function parseLiteral(text: string): unknown {
  let at = 0;

  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const fail = (): never => {
    const lines = text.slice(0, at).split("\n");
    throw new SyntaxError(at < text.length ? `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))} at ${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}` : "it ends too early");
  };
  /** The next character that means something, passed over if it is the one asked for. */
  const next = (wanted: string): boolean => {
    take(GAP);
    if (text[at] !== wanted) return false;
    at++;
    return true;
  };
  const unescaped = (quoted: string, from: number): string =>
    quoted.replace(ESCAPE, (_, long: string | undefined, short: string | undefined, sign: string | undefined, place: number) => {
      if (sign === undefined) return String.fromCharCode(parseInt(long ?? short ?? "", 16));
      // What is left of \u and \x is broken, and a digit would be an octal number.
      if (!/[ux1-9]/.test(sign) && !(sign === "0" && /\d/.test(quoted[place + 2] ?? ""))) return MEANT[sign] ?? sign;
      at = from + place;
      return fail();
    });
  const string = (): string | null => {
    const from = at;
    const found = take(STRING)?.[0];
    return found === undefined ? null : unescaped(found.slice(1, -1), from + 1);
  };
  const name = (): string => {
    const from = at;
    return unescaped((take(NAME) ?? fail())[0], from);
  };
  /** What is between two brackets, with commas, of which one may stand at the end. */
  const list = <T>(end: string, entry: () => T): T[] => {
    const entries: T[] = [];
    while (!next(end)) {
      entries.push(entry());
      if (next(",")) continue;
      if (!next(end)) fail();
      break;
    }
    return entries;
  };
  const value = (): unknown => {
    if (next("[")) return list("]", value);
    // A key "__proto__" becomes a member like any other.
    if (next("{")) return Object.fromEntries(list("}", () => [string() ?? name(), next(":") ? value() : fail()]));
    const quoted = string();
    if (quoted !== null) return quoted;
    const number = take(NUMBER);
    if (number) return (number[1] === "-" ? -1 : 1) * Number(number[2]);
    const from = at;
    const word = take(NAME)?.[0] ?? "";
    if (Object.hasOwn(WORDS, word)) return WORDS[word];
    at = from;
    return fail();
  };

  const read = value();
  take(GAP);
  return at < text.length ? fail() : read;
}
