import { inflateSync } from "node:zlib";

export interface ReadPng {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly palette: readonly (readonly number[])[];
  /** Values of the palette, or red, green and blue. */
  readonly data: Uint8Array;
}

/** Reads a PNG of eight bits by the book, with zlib and its check sums: a judge of our writer that shares nothing with it. */
export function readPng(file: Uint8Array): ReadPng {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.toString("latin1", 0, 8) !== "\x89PNG\r\n\x1a\n") throw new Error("no PNG");
  const chunks: { type: string; body: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const named = bytes.subarray(at + 4, at + 8 + length);
    if (crc(named) !== bytes.readUInt32BE(at + 8 + length)) throw new Error(`the check sum of ${named.toString("latin1", 0, 4)} is wrong`);
    chunks.push({ type: named.toString("latin1", 0, 4), body: named.subarray(4) });
    at += 12 + length;
  }
  const header = chunks[0]?.body;
  if (!header || chunks[0]?.type !== "IHDR" || chunks.at(-1)?.type !== "IEND") throw new Error("no header or no end");
  const [width, height, depth, colourType] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8] ?? 0, header[9] ?? 0];
  const raw = inflateSync(Buffer.concat(chunks.filter((c) => c.type === "IDAT").map((c) => c.body)));
  const plte = [...(chunks.find((c) => c.type === "PLTE")?.body ?? [])];
  const palette = Array.from({ length: plte.length / 3 }, (_, i) => plte.slice(3 * i, 3 * i + 3));
  return { width, height, depth, colourType, palette, data: unfilter(raw, width, height, colourType === 2 ? 3 : 1) };
}

function unfilter(raw: Buffer, width: number, height: number, bytesPerPixel: number): Uint8Array {
  const stride = width * bytesPerPixel;
  if (raw.length !== (stride + 1) * height) throw new Error(`${raw.length} bytes of pixels, not ${(stride + 1) * height}`);
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= bytesPerPixel ? (data[y * stride + x - bytesPerPixel] ?? 0) : 0;
      const above = y > 0 ? (data[(y - 1) * stride + x] ?? 0) : 0;
      const base = filter === 0 ? 0 : filter === 1 ? left : filter === 2 ? above : NaN;
      if (Number.isNaN(base)) throw new Error(`filter ${filter} is not expected`);
      data[y * stride + x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + base;
    }
  }
  return data;
}

function crc(data: Buffer): number {
  let c = 0xffffffff;
  for (const byte of data) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}
