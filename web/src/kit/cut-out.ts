import { cutGrid } from "./max-flow.js";
import { neighbour } from "./slic.js";
import type { Work } from "./slic.js";

// An object cut out of a picture from its four outermost points, after GrabCut
// (Rother et al., 2004): the colours of object and background are modelled as
// mixtures of Gaussians, the border follows edges, and both are found in turns.
//
// Like slic.ts this runs in a worker made from the functions' own text.

/**
 * Gives 1 for each pixel of the object. `points` are x, y, x, y, … of its
 * outermost points, in the picture's pixels; everything outside the box around
 * them is background.
 */
export function* cutOut(rgba: Uint8ClampedArray, width: number, height: number, points: readonly number[]): Work<Uint8Array> {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  const slack = 1 + 0.02 * Math.max(box.right - box.left, box.bottom - box.top);
  const outline = sortRound(points);
  const fixed = new Int8Array(width * height); // 1 object, -1 background, 0 to be found
  let object = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      if (x < box.left - slack || x > box.right + slack || y < box.top - slack || y > box.bottom + slack) fixed[p] = -1;
      else if (within(outline, x, y)) object[p] = 1;
    }
  }
  markPoints(fixed, width, height, points, box, slack);
  const first = object;
  // Until the first cut, what is neither in the middle nor outside is in no model.
  let background: Uint8Array = fixed.map((f) => (f === -1 ? 1 : 0)) as unknown as Uint8Array;
  const edges = yield* edgeWeights(rgba, width, height);
  for (let round = 0; round < 4; round++) {
    const near = mixture(rgba, object);
    const far = mixture(rgba, background);
    if (!near || !far) break;
    yield;
    const tie = yield* ties(rgba, width, height, near, far, fixed);
    const padded = yield* cutGrid(tie, edges.slice(), offsetsOf(width + 2));
    const next = new Uint8Array(width * height);
    let changed = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const p = y * width + x;
        next[p] = padded[(y + 1) * (width + 2) + x + 1] as number;
        if (next[p] !== object[p]) changed++;
      }
    }
    object = next;
    background = next.map((v) => 1 - v);
    if (changed < next.length / 2000) break;
  }
  const whole = keepWhole(object, width, fixed);
  // Colours that do not differ give nothing to go by: then the straight outline is the best guess.
  return sizeOf(whole) > sizeOf(first) / 10 ? whole : first;
}

function sizeOf(marked: Uint8Array): number {
  return marked.reduce((sum, v) => sum + v, 0);
}

/** The points in order around their middle. */
function sortRound(points: readonly number[]): number[] {
  const n = points.length / 2;
  const mx = points.reduce((sum, v, i) => sum + (i % 2 === 0 ? v : 0), 0) / n;
  const my = points.reduce((sum, v, i) => sum + (i % 2 === 1 ? v : 0), 0) / n;
  const order = Array.from({ length: n }, (_, i) => [points[2 * i] as number, points[2 * i + 1] as number] as const);
  return order.sort((a, b) => Math.atan2(a[1] - my, a[0] - mx) - Math.atan2(b[1] - my, b[0] - mx)).flat();
}

function within(outline: readonly number[], x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [outline[i] as number, outline[i + 1] as number, outline[j] as number, outline[j + 1] as number];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

/** A spot at each point, a little inwards, is of the object. */
function markPoints(fixed: Int8Array, width: number, height: number, points: readonly number[], box: { left: number; right: number; top: number; bottom: number }, slack: number): void {
  const [mx, my] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  for (let i = 0; i < points.length; i += 2) {
    const [px, py] = [points[i] as number, points[i + 1] as number];
    const away = Math.hypot(mx - px, my - py) || 1;
    const inwards = Math.min(slack * 1.2, away);
    const [cx, cy] = [px + ((mx - px) / away) * inwards, py + ((my - py) / away) * inwards];
    for (let y = Math.max(0, Math.floor(cy - slack / 2)); y <= Math.min(height - 1, cy + slack / 2); y++) {
      for (let x = Math.max(0, Math.floor(cx - slack / 2)); x <= Math.min(width - 1, cx + slack / 2); x++) fixed[y * width + x] = 1;
    }
  }
}

function offsetsOf(width: number): number[] {
  return [1, -1, width, -width, width + 1, -width - 1, width - 1, 1 - width];
}

/** How dear it is to part neighbours: the more alike, the dearer. On a grid with a border of one pixel all round. */
function* edgeWeights(rgba: Uint8ClampedArray, width: number, height: number): Work<Float32Array> {
  const across = width + 2;
  const n = across * (height + 2);
  const offsets = offsetsOf(across);
  const caps = new Float32Array(8 * n);
  const apart = (p: number, q: number): number => {
    let sum = 0;
    for (let c = 0; c < 3; c++) sum += ((rgba[4 * p + c] as number) - (rgba[4 * q + c] as number)) ** 2;
    return sum;
  };
  let sum = 0;
  let count = 0;
  for (let p = 0; p < width * height; p++) {
    if (p % width < width - 1) [sum, count] = [sum + apart(p, p + 1), count + 1];
    if (p < width * (height - 1)) [sum, count] = [sum + apart(p, p + width), count + 1];
  }
  const beta = sum > 0 ? count / (2 * sum) : 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let d = 0; d < 8; d += 2) {
        const [dx, dy] = [d === 2 ? 0 : d === 6 ? -1 : 1, d === 0 ? 0 : 1];
        if (x + dx < 0 || x + dx >= width || y + dy >= height) continue;
        const p = y * width + x;
        const weight = (50 * Math.exp(-beta * apart(p, p + dy * width + dx))) / Math.hypot(dx, dy);
        const at = (y + 1) * across + x + 1;
        caps[d * n + at] = weight;
        caps[(d + 1) * n + at + (offsets[d] as number)] = weight;
      }
    }
    if (y % 32 === 0) yield;
  }
  return caps;
}

/**
 * The colours of the marked pixels as five Gaussians, ten numbers each: a
 * constant, the mean, and the rows of the triangle that turns a difference into
 * one of unit spread. Null when there are too few pixels.
 */
function mixture(rgba: Uint8ClampedArray, marked: Uint8Array): Float64Array | null {
  const total = sizeOf(marked);
  if (total < 16) return null;
  const stride = Math.ceil(total / 6000);
  const samples: number[] = [];
  for (let p = 0, seen = 0; p < marked.length; p++) if (marked[p] === 1 && seen++ % stride === 0) samples.push(rgba[4 * p] as number, rgba[4 * p + 1] as number, rgba[4 * p + 2] as number);
  const owner = cluster(samples, 5);
  const out: number[] = [];
  for (let k = 0; k < 5; k++) {
    const own = samples.filter((_, i) => owner[Math.floor(i / 3)] === k);
    const n = own.length / 3;
    if (n < 4) continue;
    const mean = [0, 1, 2].map((c) => own.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0) / n);
    const spread = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < own.length; i += 3) sum += ((own[i + a] as number) - (mean[a] as number)) * ((own[i + b] as number) - (mean[b] as number));
      // No colour is exact: without this a plain area would admit one shade only.
      return sum / n + (a === b ? 16 : 0);
    };
    const l00 = Math.sqrt(spread(0, 0));
    const l10 = spread(1, 0) / l00;
    const l20 = spread(2, 0) / l00;
    const l11 = Math.sqrt(spread(1, 1) - l10 * l10);
    const l21 = (spread(2, 1) - l20 * l10) / l11;
    const l22 = Math.sqrt(Math.max(1, spread(2, 2) - l20 * l20 - l21 * l21));
    out.push(Math.log(n / owner.length) - Math.log(l00 * l11 * l22), ...mean, 1 / l00, l10, 1 / l11, l20, l21, 1 / l22);
  }
  return out.length > 0 ? Float64Array.from(out) : null;
}

/** k-means from far-apart beginnings; gives the cluster of each sample. */
function cluster(samples: readonly number[], k: number): Uint8Array {
  const n = samples.length / 3;
  const owner = new Uint8Array(n);
  const apart = (i: number, mean: readonly number[]): number =>
    ((samples[3 * i] as number) - (mean[0] as number)) ** 2 + ((samples[3 * i + 1] as number) - (mean[1] as number)) ** 2 + ((samples[3 * i + 2] as number) - (mean[2] as number)) ** 2;
  const means: number[][] = [samples.slice(0, 3)];
  const nearest = new Float64Array(n).fill(Infinity);
  while (means.length < k) {
    let farthest = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i] as number, apart(i, means[means.length - 1] as number[]));
      if ((nearest[i] as number) > (nearest[farthest] as number)) farthest = i;
    }
    means.push(samples.slice(3 * farthest, 3 * farthest + 3));
  }
  for (let round = 0; round < 8; round++) {
    const sums = means.map(() => [0, 0, 0, 0]);
    for (let i = 0; i < n; i++) {
      let best = 0;
      for (let j = 1; j < k; j++) if (apart(i, means[j] as number[]) < apart(i, means[best] as number[])) best = j;
      owner[i] = best;
      const sum = sums[best] as number[];
      for (let c = 0; c < 3; c++) sum[c] = (sum[c] as number) + (samples[3 * i + c] as number);
      sum[3] = (sum[3] as number) + 1;
    }
    sums.forEach((sum, j) => (sum[3] as number) > 0 && (means[j] = sum.slice(0, 3).map((v) => v / (sum[3] as number))));
  }
  return owner;
}

/** The log of how likely a colour is. */
function likelihood(model: Float64Array, r: number, g: number, b: number): number {
  let best = -1e9;
  for (let k = 0; k < model.length; k += 10) {
    const x = (r - (model[k + 1] as number)) * (model[k + 4] as number);
    const y = (g - (model[k + 2] as number) - (model[k + 5] as number) * x) * (model[k + 6] as number);
    const z = (b - (model[k + 3] as number) - (model[k + 7] as number) * x - (model[k + 8] as number) * y) * (model[k + 9] as number);
    best = Math.max(best, (model[k] as number) - 0.5 * (x * x + y * y + z * z));
  }
  return best;
}

/** What ties each pixel to the object, on the grid with a border. */
function* ties(rgba: Uint8ClampedArray, width: number, height: number, near: Float64Array, far: Float64Array, fixed: Int8Array): Work<Float32Array> {
  const tie = new Float32Array((width + 2) * (height + 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const [r, g, b] = [rgba[4 * p] as number, rgba[4 * p + 1] as number, rgba[4 * p + 2] as number];
      // A pixel that neither model knows says little, so one does not believe it too much.
      const free = Math.max(-40, Math.min(40, likelihood(near, r, g, b) - likelihood(far, r, g, b)));
      tie[(y + 1) * (width + 2) + x + 1] = fixed[p] === 0 ? free : (fixed[p] as number) * 450;
    }
    if (y % 32 === 0) yield;
  }
  return tie;
}

/** Drops what does not hang together with a marked point and is small beside the rest, and closes holes that are small too. */
function keepWhole(object: Uint8Array, width: number, fixed: Int8Array): Uint8Array {
  const out = object.slice();
  const seen = new Uint8Array(out.length);
  const total = sizeOf(out);
  const queue = new Int32Array(out.length);
  for (let start = 0; start < out.length; start++) {
    if (seen[start] === 1) continue;
    const value = object[start] as number;
    let size = 1;
    let held = false;
    queue[0] = start;
    seen[start] = 1;
    for (let i = 0; i < size; i++) {
      const p = queue[i] as number;
      held ||= value === 1 ? fixed[p] === 1 : fixed[p] === -1;
      for (let side = 0; side < 4; side++) {
        const q = neighbour(p, side, width, out.length);
        if (q < 0 || seen[q] === 1 || object[q] !== value) continue;
        seen[q] = 1;
        queue[size++] = q;
      }
    }
    // What hangs together with a point may be small, but not as small as the spot that was marked at it.
    if (size < total * (value === 1 ? (held ? 0.03 : 0.1) : held ? 0 : 0.01)) for (let i = 0; i < size; i++) out[queue[i] as number] = 1 - value;
  }
  return out;
}

/** What this file gives to the worker. */
export const CUT_PARTS = [cutOut, sizeOf, sortRound, within, markPoints, offsetsOf, edgeWeights, mixture, cluster, likelihood, ties, keepWhole] as const;
