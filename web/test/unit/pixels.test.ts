import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { cutOut } from "../../src/kit/cut-out.js";
import { cutGrid } from "../../src/kit/max-flow.js";
import { workerText } from "../../src/kit/offload.js";
import { slic } from "../../src/kit/slic.js";
import type { Work } from "../../src/kit/slic.js";

function done<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function random(seed: number): () => number {
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647;
}

type Colour = readonly [number, number, number];

/** A picture from a function of place, with noise. */
function picture(width: number, height: number, noise: number, colour: (x: number, y: number) => Colour): Uint8ClampedArray {
  const next = random(3);
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rgba.set([...colour(x, y).map((v) => v + (next() - 0.5) * 2 * noise), 255], 4 * (y * width + x));
  }
  return rgba;
}

describe("superpixels", () => {
  const [width, height] = [180, 120];
  const rgba = picture(width, height, 12, (x, y) => (Math.hypot(x - 80, y - 60) < 40 ? [200, 60, 50] : x > 120 ? [60, 130, 60] : [70, 90, 160]));
  const { labels, count } = done(slic(rgba, width, height, 300, 15));

  test("every pixel has a patch, and there are about as many as wanted", () => {
    assert.ok(labels.every((k) => k >= 0 && k < count));
    assert.ok(count > 200 && count < 400, `${count} patches`);
  });

  test("every patch is connected", () => {
    const seen = new Uint8Array(labels.length);
    const begun = new Set<number>();
    for (let start = 0; start < labels.length; start++) {
      if (seen[start] === 1) continue;
      const k = labels[start] ?? -1;
      assert.ok(!begun.has(k), `patch ${k} is in two pieces`);
      begun.add(k);
      const stack = [start];
      seen[start] = 1;
      while (stack.length > 0) {
        const p = stack.pop() ?? 0;
        const x = p % width;
        for (const q of [x > 0 ? p - 1 : -1, x < width - 1 ? p + 1 : -1, p - width, p + width]) {
          if (q < 0 || q >= labels.length || seen[q] === 1 || labels[q] !== k) continue;
          seen[q] = 1;
          stack.push(q);
        }
      }
    }
    assert.equal(begun.size, count);
  });

  test("patches keep to the edges of the picture", () => {
    // Of each patch, how much lies on the smaller side of the disc's edge.
    const inside = new Map<number, [number, number]>();
    labels.forEach((k, p) => {
      const counts = inside.get(k) ?? [0, 0];
      const side = Math.hypot((p % width) - 80, Math.floor(p / width) - 60) < 40 ? 0 : 1;
      counts[side]++;
      inside.set(k, counts);
    });
    const leaked = [...inside.values()].reduce((sum, [a, b]) => sum + Math.min(a, b), 0);
    assert.ok(leaked / labels.length < 0.004, `${leaked} pixels are in patches of the other side`);
  });

  test("pictures too small for patches are no problem", () => {
    for (const [w, h] of [[1, 1], [2, 1], [3, 3], [1, 40]] as const) {
      const small = done(slic(picture(w, h, 0, () => [9, 9, 9]), w, h, 100, 10));
      assert.ok(small.labels.every((k) => k >= 0 && k < small.count), `${w} by ${h}`);
    }
  });
});

describe("the cheapest cut", () => {
  /** Tries all partitions. */
  function cheapest(tie: Float32Array, caps: Float32Array, offsets: readonly number[], free: readonly number[]): number {
    let best = Infinity;
    for (let bits = 0; bits < 1 << free.length; bits++) best = Math.min(best, costOf(tie, caps, offsets, new Set(free.filter((_, i) => (bits >> i) & 1))));
    return best;
  }

  function costOf(tie: Float32Array, caps: Float32Array, offsets: readonly number[], source: ReadonlySet<number>): number {
    let cost = 0;
    for (let i = 0; i < tie.length; i++) {
      const t = tie[i] ?? 0;
      if (source.has(i) ? t < 0 : t > 0) cost += Math.abs(t);
      if (source.has(i)) offsets.forEach((offset, d) => !source.has(i + offset) && (cost += caps[d * tie.length + i] ?? 0));
    }
    return cost;
  }

  test("is found on grids small enough to try everything", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const next = random(seed * 7919);
      const [w, h] = [2 + (seed % 3), 2 + (seed % 2)];
      const across = w + 2;
      const n = across * (h + 2);
      const offsets = [1, -1, across, -across, across + 1, -across - 1, across - 1, 1 - across];
      const free = Array.from({ length: w * h }, (_, k) => (Math.floor(k / w) + 1) * across + (k % w) + 1);
      const tie = new Float32Array(n);
      const caps = new Float32Array(8 * n);
      for (const i of free) {
        tie[i] = next() < 0.2 ? 0 : Math.round((next() - 0.5) * 20);
        offsets.forEach((offset, d) => free.includes(i + offset) && (caps[d * n + i] = next() < 0.2 ? 0 : Math.round(next() * 9)));
      }
      const want = cheapest(tie, caps, offsets, free);
      const side = done(cutGrid(tie.slice(), caps.slice(), offsets));
      const source = new Set(free.filter((i) => side[i] === 1));
      assert.equal(costOf(tie, caps, offsets, source), want, `seed ${seed}`);
    }
  });
});

/** How well two areas agree: what both have over what either has. */
function agreement(mask: Uint8Array, truth: (x: number, y: number) => boolean, width: number): number {
  let [both, either] = [0, 0];
  mask.forEach((v, p) => {
    const want = truth(p % width, Math.floor(p / width));
    if (v === 1 && want) both++;
    if (v === 1 || want) either++;
  });
  return both / either;
}

describe("cutting out from four points", () => {
  const [width, height] = [240, 180];
  const stripes = (x: number, y: number): Colour => ((x >> 4) + (y >> 4)) % 2 === 0 ? [90, 120, 70] : [60, 95, 110];
  const cases: { name: string; inside: (x: number, y: number) => boolean; points: number[]; colour: Colour; ground: (x: number, y: number) => Colour; noise: number }[] = [
    { name: "a disc on a plain ground", inside: (x, y) => Math.hypot(x - 120, y - 90) < 60, points: [60, 90, 120, 30, 180, 90, 120, 150], colour: [200, 60, 40], ground: () => [70, 90, 160], noise: 10 },
    { name: "a disc on a patterned, noisy ground", inside: (x, y) => Math.hypot(x - 120, y - 90) < 60, points: [61, 92, 118, 31, 179, 88, 122, 149], colour: [190, 150, 60], ground: stripes, noise: 30 },
    {
      name: "a cross, which its corners do not tell of",
      inside: (x, y) => (Math.abs(x - 120) < 70 && Math.abs(y - 90) < 18) || (Math.abs(y - 90) < 70 && Math.abs(x - 120) < 18),
      points: [51, 92, 118, 21, 189, 90, 121, 159], colour: [220, 220, 225], ground: stripes, noise: 20,
    },
    {
      name: "a thing of two colours", inside: (x, y) => ((x - 120) / 80) ** 2 + ((y - 90) / 45) ** 2 < 1,
      points: [41, 90, 120, 46, 199, 92, 118, 134], colour: [0, 0, 0], ground: () => [150, 160, 170], noise: 15,
    },
  ];
  for (const { name, inside, points, colour, ground, noise } of cases) {
    test(`${name} is found`, (t) => {
      const two = (x: number): Colour => (x < 120 ? [180, 40, 60] : [40, 60, 30]);
      const rgba = picture(width, height, noise, (x, y) => (inside(x, y) ? (name.includes("two") ? two(x) : colour) : ground(x, y)));
      const share = agreement(done(cutOut(rgba, width, height, points)), inside, width);
      t.diagnostic(`agreement ${share.toFixed(3)}`);
      assert.ok(share > 0.95, `agreement ${share}`);
    });
  }

  test("where nothing differs, the outline through the points is taken", () => {
    const mask = done(cutOut(picture(80, 60, 0, () => [100, 100, 100]), 80, 60, [20, 30, 40, 10, 60, 30, 40, 50]));
    const share = agreement(mask, (x, y) => x >= 18 && x <= 62 && y >= 8 && y <= 52, 80);
    assert.ok(mask.some((v) => v === 1) && share > 0.3, `agreement ${share}`);
  });
});

describe("the worker's text", () => {
  test("needs nothing but what it brings", () => {
    const said: { result: any }[] = [];
    const context: Record<string, any> = { postMessage: (message: { result: any }) => said.push(message) };
    runInNewContext(workerText(), context);
    const rgba = picture(60, 40, 5, (x) => (x > 20 && x < 40 ? [200, 0, 0] : [0, 0, 200]));
    context.onmessage({ data: { job: "slic", args: [rgba, 60, 40, 40, 15] } });
    context.onmessage({ data: { job: "cutOut", args: [rgba, 60, 40, [21, 20, 30, 0, 39, 20, 30, 39]] } });
    assert.equal(said.length, 2);
    assert.equal(said[0]?.result.labels.length, 2400);
    assert.ok(said[1]?.result.some((v: number) => v === 1));
  });
});
