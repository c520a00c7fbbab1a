import { deflateRuns } from "./deflate.js";
import type { Size } from "./geometry.js";

/** Values of pixels, row by row. */
export type Raster = Uint8Array | Uint16Array;

export type Rgb = readonly [number, number, number];

interface Strip {
  readonly chunk: Uint8Array;
  readonly length: number;
  readonly adler: number;
}

/** So many bytes of pixels are compressed by themselves. */
const STRIP_BYTES = 1 << 18;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Writes a label map as a PNG: indexed, the palette in the order of the values;
 * above 256 values as true colour. The rows are compressed in strips that know
 * nothing of each other, and a strip is compressed again only after it was
 * touched: so a stroke on a large map costs what it covers, not the whole map.
 */
export class PngWriter {
  private readonly rows: number;
  private strips: (Strip | undefined)[] = [];
  private form = "";
  /** Most of a fresh map: compressed once. */
  private blank: Blank | null = null;

  constructor(private readonly size: Size) {
    this.rows = Math.max(1, Math.floor(STRIP_BYTES / (size.width + 1)));
  }

  /** Rows from `top` up to but without `bottom` have changed. */
  touch(top: number, bottom: number): void {
    for (let i = Math.floor(top / this.rows); i * this.rows < bottom; i++) this.strips[i] = undefined;
  }

  /** The file. The palette has a colour for every value that occurs. */
  write(data: Raster, palette: readonly Rgb[]): Uint8Array {
    const { width, height } = this.size;
    const indexed = palette.length <= 256;
    // Strips of true colour hold the colours themselves.
    const form = indexed ? "indexed" : palette.join();
    if (form !== this.form) this.strips = [];
    this.form = form;
    const header = new Uint8Array(13);
    const view = new DataView(header.buffer);
    view.setUint32(0, width);
    view.setUint32(4, height);
    header.set([8, indexed ? 3 : 2, 0, 0, 0], 8);
    const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", header)];
    if (indexed) parts.push(chunk("PLTE", Uint8Array.from(palette.flat())));
    parts.push(chunk("IDAT", Uint8Array.of(0x78, 0x9c)));
    let adler = 1;
    for (let i = 0; i * this.rows < height; i++) {
      const top = i * this.rows;
      const strip = (this.strips[i] ??= this.strip(data, top, indexed ? null : palette));
      parts.push(strip.chunk);
      adler = joinAdler(adler, strip.adler, strip.length);
    }
    parts.push(chunk("IDAT", Uint8Array.of(3, 0, adler >>> 24, adler >>> 16, adler >>> 8, adler)), chunk("IEND", new Uint8Array(0)));
    return joined(parts);
  }

  private strip(data: Raster, top: number, palette: readonly Rgb[] | null): Strip {
    const { width, height } = this.size;
    const bottom = Math.min(height, top + this.rows);
    const empty = palette === null && data.subarray(top * width, bottom * width).every((value) => value === 0);
    if (empty && this.blank?.rows === bottom - top) return this.blank.strip;
    const strip = compress(filtered(data, width, top, bottom, palette));
    if (empty) this.blank = { rows: bottom - top, strip };
    return strip;
  }
}

interface Blank {
  readonly rows: number;
  readonly strip: Strip;
}

function compress(raw: Uint8Array): Strip {
  return { chunk: chunk("IDAT", deflateRuns(raw)), length: raw.length, adler: adlerOf(raw) };
}

/** The rows as differences: the first of a strip from the pixel to the left, others from the row above. */
function filtered(data: Raster, width: number, top: number, bottom: number, palette: readonly Rgb[] | null): Uint8Array {
  const depth = palette ? 3 : 1;
  const stride = width * depth;
  const out = new Uint8Array((stride + 1) * (bottom - top));
  let above = new Uint8Array(stride);
  let row = new Uint8Array(stride);
  let at = 0;
  for (let y = top; y < bottom; y++) {
    if (palette) for (let x = 0; x < width; x++) row.set(palette[data[y * width + x] as number] ?? [0, 0, 0], x * 3);
    else row.set(data.subarray(y * width, y * width + width));
    const first = y === top;
    out[at++] = first ? 1 : 2;
    if (first) for (let x = 0; x < stride; x++) out[at++] = (row[x] as number) - (x < depth ? 0 : (row[x - depth] as number));
    else for (let x = 0; x < stride; x++) out[at++] = (row[x] as number) - (above[x] as number);
    [above, row] = [row, above];
  }
  return out;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(body.length + 8, crcOf(out.subarray(4, body.length + 8)));
  return out;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crcOf(bytes: Uint8Array): number {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ (CRC[(c ^ (bytes[i] as number)) & 255] as number);
  return ~c >>> 0;
}

const BASE = 65521;

function adlerOf(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    // So many sums fit into 32 bits.
    for (const end = Math.min(bytes.length, i + 3800); i < end; i++) b += a += bytes[i] as number;
    a %= BASE;
    b %= BASE;
  }
  return ((b << 16) | a) >>> 0;
}

/** The sum of two pieces of data one after another, from the sums of each. */
function joinAdler(first: number, second: number, secondLength: number): number {
  const [a1, b1, a2, b2] = [first & 0xffff, first >>> 16, second & 0xffff, second >>> 16];
  const a = (a1 + a2 + BASE - 1) % BASE;
  const b = (b1 + b2 + (secondLength % BASE) * (a1 + BASE - 1)) % BASE;
  return ((b << 16) | a) >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes as Base64, in steps that no argument list is too short for. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x3000) text += btoa(String.fromCharCode(...bytes.subarray(i, i + 0x3000)));
  return text;
}
