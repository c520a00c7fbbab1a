// Deflate (RFC 1951) for data that is mostly runs, such as filtered label maps:
// literals and repetitions of the last byte only, each block under Huffman codes
// of its own. Browsers' CompressionStream would do, but it answers later, and an
// answer must be there at the moment a form or a script asks for it.

/** Tokens: a byte is a literal, 256 + n is the last byte n times more. */
const MATCH = 256;
const END = 256;
const MIN_RUN = 3;
const MAX_RUN = 258;
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;

/**
 * Compresses into blocks none of which is the last, ending on a byte's boundary,
 * so that results can be put one after another in one stream.
 */
export function deflateRuns(data: Uint8Array): Uint8Array {
  const tokens = new Uint16Array(data.length);
  const count = tokenise(data, tokens);
  const frequencies = new Uint32Array(286);
  let runs = 0;
  for (let i = 0; i < count; i++) {
    const token = tokens[i] as number;
    if (token >= MATCH) runs++;
    bump(frequencies, token < MATCH ? token : lengthSymbol(token - MATCH));
  }
  bump(frequencies, END);
  const lengths = codeLengths(frequencies, 15);
  const codes = codesOf(lengths);
  const bits = new BitWriter(data.length + 1024);
  writeHeader(bits, lengths, runs > 0);
  for (let i = 0; i < count; i++) {
    const token = tokens[i] as number;
    const symbol = token < MATCH ? token : lengthSymbol(token - MATCH);
    bits.write(codes[symbol] as number, lengths[symbol] as number);
    if (token < MATCH) continue;
    const extra = extraBits(symbol);
    if (extra > 0) bits.write(token - MATCH - lengthBase(symbol), extra);
    bits.write(0, 1); // distance 1, the only one there is
  }
  bits.write(codes[END] as number, lengths[END] as number);
  // An empty stored block brings the stream to a byte's boundary.
  bits.write(0, 3);
  bits.align();
  bits.write(0, 16);
  bits.write(0xffff, 16);
  return bits.bytes();
}

function bump(list: Uint32Array, at: number): void {
  list[at] = (list[at] as number) + 1;
}

function tokenise(data: Uint8Array, tokens: Uint16Array): number {
  let count = 0;
  for (let i = 0; i < data.length; ) {
    const last = data[i - 1];
    let run = 0;
    while (run < MAX_RUN && i + run < data.length && data[i + run] === last) run++;
    if (run >= MIN_RUN) {
      tokens[count++] = MATCH + run;
      i += run;
    } else tokens[count++] = data[i++] as number;
  }
  return count;
}

/** 257 to 285: eight lengths without extra bits, then four symbols for each number of them, and 258 alone. */
function lengthSymbol(length: number): number {
  if (length === MAX_RUN) return 285;
  const n = length - MIN_RUN;
  if (n < 8) return 257 + n;
  const extra = 29 - Math.clz32(n);
  return 257 + 4 * extra + (n >> extra);
}

function extraBits(symbol: number): number {
  return symbol < 265 || symbol === 285 ? 0 : (symbol - 261) >> 2;
}

function lengthBase(symbol: number): number {
  const extra = extraBits(symbol);
  return extra === 0 ? 0 : MIN_RUN + ((4 + ((symbol - 257) & 3)) << extra);
}

/** Huffman code lengths, at most `limit`. A code that gets too long is made anew from flatter frequencies. */
function codeLengths(frequencies: Uint32Array, limit: number): Uint8Array {
  let flat = frequencies;
  for (;;) {
    const lengths = huffman(flat);
    if (lengths.every((length) => length <= limit)) return lengths;
    flat = flat.map((f) => (f === 0 ? 0 : (f >> 1) + 1));
  }
}

function huffman(frequencies: Uint32Array): Uint8Array {
  const lengths = new Uint8Array(frequencies.length);
  interface Node {
    readonly weight: number;
    readonly symbols: readonly number[];
  }
  const nodes: Node[] = [];
  frequencies.forEach((weight, symbol) => weight > 0 && nodes.push({ weight, symbols: [symbol] }));
  // A code of one symbol still needs a bit, and decoders want two.
  for (let symbol = 0; nodes.length < 2; symbol++) if (frequencies[symbol] === 0) nodes.push({ weight: 0, symbols: [symbol] });
  nodes.sort((a, b) => b.weight - a.weight);
  while (nodes.length > 1) {
    const a = nodes.pop() as Node;
    const b = nodes.pop() as Node;
    const joined: Node = { weight: a.weight + b.weight, symbols: [...a.symbols, ...b.symbols] };
    for (const symbol of joined.symbols) lengths[symbol] = (lengths[symbol] as number) + 1;
    let at = nodes.length;
    while (at > 0 && (nodes[at - 1] as Node).weight < joined.weight) at--;
    nodes.splice(at, 0, joined);
  }
  return lengths;
}

/** Canonical codes, with their bits turned round, as deflate writes them. */
function codesOf(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) codes[symbol] = turned(code++, length);
    code <<= 1;
  }
  return codes;
}

function turned(code: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

function writeHeader(bits: BitWriter, lengths: Uint8Array, runs: boolean): void {
  const steps = lengthSteps([...lengths, runs ? 1 : 0]);
  const frequencies = new Uint32Array(19);
  for (const [symbol] of steps) bump(frequencies, symbol);
  const own = codeLengths(frequencies, 7);
  const codes = codesOf(own);
  let shown = 19;
  while (shown > 4 && own[ORDER[shown - 1] as number] === 0) shown--;
  bits.write(0, 1); // not the last block
  bits.write(2, 2); // codes of its own
  bits.write(lengths.length - 257, 5);
  bits.write(0, 5); // one distance
  bits.write(shown - 4, 4);
  for (const symbol of ORDER.slice(0, shown)) bits.write(own[symbol] as number, 3);
  for (const [symbol, value, width] of steps) {
    bits.write(codes[symbol] as number, own[symbol] as number);
    bits.write(value, width);
  }
}

/** Code lengths as symbols with extra bits: a length itself, or a run of zeros. */
function lengthSteps(lengths: readonly number[]): (readonly [symbol: number, value: number, width: number])[] {
  const steps: (readonly [number, number, number])[] = [];
  for (let i = 0; i < lengths.length; ) {
    let zeros = 0;
    while (zeros < 138 && lengths[i + zeros] === 0) zeros++;
    if (zeros >= 11) steps.push([18, zeros - 11, 7]);
    else if (zeros >= 3) steps.push([17, zeros - 3, 3]);
    else steps.push([lengths[i] as number, 0, 0]);
    i += zeros >= 3 ? zeros : 1;
  }
  return steps;
}

class BitWriter {
  private out: Uint8Array;
  private at = 0;
  private held = 0;
  private width = 0;

  constructor(room: number) {
    this.out = new Uint8Array(room);
  }

  /** At most 16 bits, lowest first. */
  write(value: number, width: number): void {
    this.held |= value << this.width;
    this.width += width;
    while (this.width >= 8) this.flush();
  }

  align(): void {
    if (this.width > 0) this.flush();
  }

  bytes(): Uint8Array {
    return this.out.slice(0, this.at);
  }

  private flush(): void {
    if (this.at === this.out.length) {
      const more = new Uint8Array(this.out.length * 2);
      more.set(this.out);
      this.out = more;
    }
    this.out[this.at++] = this.held & 255;
    this.held >>>= 8;
    this.width = Math.max(0, this.width - 8);
  }
}
