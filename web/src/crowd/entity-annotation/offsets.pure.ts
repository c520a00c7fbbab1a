// Ground Truth counts in Unicode code points, the browser in UTF-16 units. All
// of the tool works in units; these are the two ways across.

/** Where the surrogate pairs of a text are, so that each way costs one binary search. */
export class CodePoints {
  private readonly pairs: readonly number[];

  constructor(private readonly text: string) {
    const pairs: number[] = [];
    for (const match of text.matchAll(/[\u{10000}-\u{10ffff}]/gu)) pairs.push(match.index);
    this.pairs = pairs;
  }

  get length(): number {
    return this.text.length - this.pairs.length;
  }

  /** The code point that the unit belongs to. */
  fromUnit(unit: number): number {
    return unit - countBefore(this.pairs.length, (k) => (this.pairs[k] ?? 0) < unit);
  }

  /** The first unit of the code point. */
  toUnit(point: number): number {
    return point + countBefore(this.pairs.length, (k) => (this.pairs[k] ?? 0) - k < point);
  }
}

/** How many of 0…n-1 come before the first for which the (monotonous) question is no. */
function countBefore(n: number, holds: (k: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Far enough for any character that people see as one: flags, families, stacks of marks. */
const REACH = 64;

/** The range, widened so that it cuts no character in two: an emoji with its skin, a letter with its marks. */
export function wholeCharacters(text: string, start: number, end: number): [number, number] {
  return [edge(text, start, -1), edge(text, end, 1)];
}

function edge(text: string, at: number, side: -1 | 1): number {
  if (at <= 0 || at >= text.length) return Math.min(text.length, Math.max(0, at));
  let from = Math.max(0, at - REACH);
  if (from > 0 && isTrail(text.charCodeAt(from))) from--;
  for (const { index, segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text.slice(from, at + REACH))) {
    const [start, end] = [from + index, from + index + segment.length];
    if (start === at) return at;
    if (end > at) return side < 0 ? start : end;
  }
  return at;
}

function isTrail(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The range without the white space at its ends; null when there is nothing else in it. */
export function trimmed(text: string, start: number, end: number): [number, number] | null {
  while (start < end && /\s/.test(text.charAt(start))) start++;
  while (end > start && /\s/.test(text.charAt(end - 1))) end--;
  return start < end ? [start, end] : null;
}

/** The word that a unit of the text belongs to, or the sign; null for white space. Words are where the language has them, with or without spaces. */
export function wordAt(text: string, at: number): [number, number] | null {
  // A cut within a word would make two of it, so the piece is much longer than any.
  const from = Math.max(0, at - 4 * REACH);
  const word = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text.slice(from, at + 4 * REACH)).containing(at - from);
  return word ? trimmed(text, from + word.index, from + word.index + word.segment.length) : null;
}
