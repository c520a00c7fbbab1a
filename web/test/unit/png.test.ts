import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { deflateRuns } from "../../src/kit/deflate.js";
import { PngWriter, base64 } from "../../src/kit/png.js";
import type { Rgb } from "../../src/kit/png.js";
import { readPng } from "./read-png.js";

const END_OF_STREAM = Buffer.from([3, 0]);

function random(seed: number): () => number {
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647;
}

describe("deflate", () => {
  const next = random(5);
  for (const [name, data] of [
    ["nothing", new Uint8Array(0)],
    ["one byte", Uint8Array.of(7)],
    ["two of a kind", Uint8Array.of(7, 7)],
    ["zeros", new Uint8Array(100_000)],
    ["every length of run", Uint8Array.from(Array.from({ length: 600 }, (_, n) => Array.from({ length: n + 1 }, () => n & 255)).flat())],
    ["noise", Uint8Array.from({ length: 70_000 }, () => next() * 256)],
    ["frequencies that make long codes", Uint8Array.from(Array.from({ length: 24 }, (_, n) => Array.from({ length: Math.floor(1.6 ** n) }, (_x, i) => (i % 2 === 0 ? n : 200 + (n % 50)))).flat())],
  ] as const) {
    test(`${name} comes back from zlib`, () => {
      assert.deepEqual(new Uint8Array(inflateRawSync(Buffer.concat([deflateRuns(data), END_OF_STREAM]))), new Uint8Array(data));
    });
  }

  test("results can be joined", () => {
    const stream = Buffer.concat([deflateRuns(Uint8Array.of(1, 2)), deflateRuns(Uint8Array.of(2, 3)), END_OF_STREAM]);
    assert.deepEqual([...inflateRawSync(stream)], [1, 2, 2, 3]);
  });
});

const PALETTE: Rgb[] = [[255, 255, 255], [31, 119, 180], [255, 127, 14], [44, 160, 44]];

/** Discs of values over nothing, as people paint. */
function blobs(width: number, height: number, values: number): Uint16Array {
  const next = random(9);
  const data = new Uint16Array(width * height);
  for (let value = 1; value < values; value++) {
    const [cx, cy, r] = [next() * width, next() * height, (0.02 + 0.2 * next()) * width];
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if ((x - cx) ** 2 + (y - cy) ** 2 < r * r) data[y * width + x] = value;
  }
  return data;
}

describe("PNG", () => {
  test("an indexed picture comes back with its palette and values", () => {
    for (const [width, height] of [[1, 1], [3, 2], [800, 533], [5000, 121]] as const) {
      const data = Uint8Array.from(blobs(width, height, 4));
      const read = readPng(new PngWriter({ width, height }).write(data, PALETTE));
      assert.deepEqual([read.width, read.height, read.colourType, read.depth], [width, height, 3, 8]);
      assert.deepEqual(read.palette, PALETTE);
      assert.deepEqual(new Uint8Array(read.data), data);
    }
  });

  test("after an edit only what was touched is compressed again, and the file is that of a new writer", () => {
    const size = { width: 2000, height: 900 };
    const data = Uint8Array.from(blobs(size.width, size.height, 4));
    const writer = new PngWriter(size);
    writer.write(data, PALETTE);
    for (let y = 400; y < 480; y++) data.fill(3, y * size.width + 50, y * size.width + 500);
    const stale = writer.write(data, PALETTE);
    assert.notDeepEqual(new Uint8Array(readPng(stale).data), data, "strips that nobody touched are kept");
    writer.touch(400, 480);
    const file = writer.write(data, PALETTE);
    assert.deepEqual(file, new PngWriter(size).write(data, PALETTE));
    assert.deepEqual(new Uint8Array(readPng(file).data), data);
  });

  test("more than 256 values make a picture of true colour", () => {
    const size = { width: 200, height: 150 };
    const data = blobs(size.width, size.height, 400);
    const palette = Array.from({ length: 400 }, (_, n): Rgb => [n & 255, (n >> 8) * 90, 255 - (n & 255)]);
    const read = readPng(new PngWriter(size).write(data, palette));
    assert.equal(read.colourType, 2);
    for (let i = 0; i < data.length; i += 37) assert.deepEqual([...read.data.subarray(3 * i, 3 * i + 3)], palette[data[i] ?? 0]);
  });

  test("an empty map of 24 megapixels stays small, a painted one too", (t) => {
    const size = { width: 6000, height: 4000 };
    const writer = new PngWriter(size);
    const empty = writer.write(new Uint8Array(size.width * size.height), PALETTE).length;
    assert.ok(empty < 45_000, `${empty} bytes`);
    t.diagnostic(`24 megapixels: empty ${empty} bytes`);
  });

  test("Base64 of any length is right", () => {
    for (const length of [0, 1, 2, 3, 0x3000, 0x3001, 40_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"));
    }
  });
});
