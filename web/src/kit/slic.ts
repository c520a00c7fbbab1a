// Superpixels: patches of like colour that follow the edges of a picture, by
// simple linear iterative clustering (Achanta et al., 2012).
//
// The functions of this file run in a worker that is made from their own text,
// so they use nothing but their arguments and each other, and all of them are
// listed in offload.ts. They are generators: where no worker can be had they
// run in slices between which the page breathes.

/** Work that pauses now and then, so that whoever runs it can do something else. */
export type Work<T> = Generator<void, T, void>;

export interface Patches {
  /** The number of the patch of each pixel, from 0. */
  readonly labels: Int32Array;
  readonly count: number;
}

/**
 * Cuts a picture into about `wanted` patches. Each is connected. `compactness`
 * from about 5 (follows every edge) to 40 (nearly squares).
 */
export function* slic(rgba: Uint8ClampedArray, width: number, height: number, wanted: number, compactness: number): Work<Patches> {
  const lab = yield* toLab(rgba);
  const step = Math.max(2, Math.sqrt((width * height) / wanted));
  const centres = seedCentres(lab, width, height, step);
  const labels = new Int32Array(width * height).fill(-1);
  for (let round = 0; round < 6; round++) {
    yield* assign(lab, width, height, centres, labels, step, compactness);
    recentre(lab, width, centres, labels);
    yield;
  }
  return yield* connect(labels, width, (step * step) / 4);
}

/** L, a and b of each pixel, one plane after another. */
function* toLab(rgba: Uint8ClampedArray): Work<Float32Array> {
  const n = rgba.length / 4;
  const lab = new Float32Array(3 * n);
  const linear = Float32Array.from({ length: 256 }, (_, v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  for (let i = 0; i < n; i++) {
    const r = linear[rgba[4 * i] as number] as number;
    const g = linear[rgba[4 * i + 1] as number] as number;
    const b = linear[rgba[4 * i + 2] as number] as number;
    const x = Math.cbrt(0.4339 * r + 0.3762 * g + 0.1899 * b);
    const y = Math.cbrt(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = Math.cbrt(0.0178 * r + 0.1098 * g + 0.8730 * b);
    lab[i] = 116 * y - 16;
    lab[n + i] = 500 * (x - y);
    lab[2 * n + i] = 200 * (y - z);
    if (i % 65536 === 0) yield;
  }
  return lab;
}

/** Centres on a grid, five numbers each: L, a, b, x, y. Each is moved to the calmest pixel around it. */
function seedCentres(lab: Float32Array, width: number, height: number, step: number): Float32Array {
  const across = Math.max(1, Math.round(width / step));
  const down = Math.max(1, Math.round(height / step));
  const n = width * height;
  const centres = new Float32Array(across * down * 5);
  for (let k = 0; k < across * down; k++) {
    const cx = Math.floor(((k % across) + 0.5) * (width / across));
    const cy = Math.floor((Math.floor(k / across) + 0.5) * (height / down));
    let [x, y, calmest] = [cx, cy, Infinity];
    for (let j = Math.max(1, cy - 1); j <= Math.min(height - 2, cy + 1); j++) {
      for (let i = Math.max(1, cx - 1); i <= Math.min(width - 2, cx + 1); i++) {
        const p = j * width + i;
        const slope = Math.abs((lab[p + 1] as number) - (lab[p - 1] as number)) + Math.abs((lab[p + width] as number) - (lab[p - width] as number));
        if (slope < calmest) [x, y, calmest] = [i, j, slope];
      }
    }
    const at = y * width + x;
    centres.set([lab[at] as number, lab[n + at] as number, lab[2 * n + at] as number, x, y], 5 * k);
  }
  return centres;
}

function* assign(lab: Float32Array, width: number, height: number, centres: Float32Array, labels: Int32Array, step: number, compactness: number): Work<void> {
  const n = width * height;
  const nearest = new Float32Array(n).fill(Infinity);
  const weight = (compactness / step) ** 2;
  const reach = Math.ceil(1.2 * step);
  for (let k = 0; k < centres.length / 5; k++) {
    const [cl, ca, cb, cx, cy] = centres.subarray(5 * k, 5 * k + 5) as unknown as [number, number, number, number, number];
    const right = Math.min(width - 1, Math.floor(cx + reach));
    const bottom = Math.min(height - 1, Math.floor(cy + reach));
    for (let y = Math.max(0, Math.floor(cy - reach)); y <= bottom; y++) {
      const far = weight * (y - cy) * (y - cy);
      for (let x = Math.max(0, Math.floor(cx - reach)); x <= right; x++) {
        const p = y * width + x;
        const dl = (lab[p] as number) - cl;
        const da = (lab[n + p] as number) - ca;
        const db = (lab[2 * n + p] as number) - cb;
        const distance = dl * dl + da * da + db * db + far + weight * (x - cx) * (x - cx);
        if (distance < (nearest[p] as number)) {
          nearest[p] = distance;
          labels[p] = k;
        }
      }
    }
    if (k % 64 === 0) yield;
  }
}

function recentre(lab: Float32Array, width: number, centres: Float32Array, labels: Int32Array): void {
  const n = labels.length;
  const sums = new Float64Array(centres.length);
  const counts = new Uint32Array(centres.length / 5);
  for (let p = 0; p < n; p++) {
    const k = labels[p] as number;
    if (k < 0) continue;
    const at = 5 * k;
    counts[k] = (counts[k] as number) + 1;
    sums[at] = (sums[at] as number) + (lab[p] as number);
    sums[at + 1] = (sums[at + 1] as number) + (lab[n + p] as number);
    sums[at + 2] = (sums[at + 2] as number) + (lab[2 * n + p] as number);
    sums[at + 3] = (sums[at + 3] as number) + (p % width);
    sums[at + 4] = (sums[at + 4] as number) + Math.floor(p / width);
  }
  for (let i = 0; i < centres.length; i++) {
    const count = counts[Math.floor(i / 5)] as number;
    if (count > 0) centres[i] = (sums[i] as number) / count;
  }
}

/** Numbers the connected patches anew; crumbs below a size go to the patch beside them. */
function* connect(labels: Int32Array, width: number, smallest: number): Work<Patches> {
  const n = labels.length;
  const out = new Int32Array(n).fill(-1);
  const queue = new Int32Array(n);
  let count = 0;
  for (let start = 0; start < n; start++) {
    if (out[start] !== -1) continue;
    let beside = -1;
    let size = 1;
    queue[0] = start;
    out[start] = count;
    for (let i = 0; i < size; i++) {
      const p = queue[i] as number;
      for (let side = 0; side < 4; side++) {
        const q = neighbour(p, side, width, n);
        if (q < 0) continue;
        const other = out[q] as number;
        if (other === -1 && labels[q] === labels[start]) {
          out[q] = count;
          queue[size++] = q;
        } else if (other >= 0 && other !== count) beside = other;
      }
    }
    if (size < smallest && beside >= 0) for (let i = 0; i < size; i++) out[queue[i] as number] = beside;
    else count++;
    if (start % 65536 === 0) yield;
  }
  return { labels: out, count };
}

/** The pixel left of, right of, above or below one of n; -1 where there is none. */
export function neighbour(p: number, side: number, width: number, n: number): number {
  if (side === 0) return p % width > 0 ? p - 1 : -1;
  if (side === 1) return (p + 1) % width > 0 ? p + 1 : -1;
  return side === 2 ? (p >= width ? p - width : -1) : p < n - width ? p + width : -1;
}

/** What this file gives to the worker. */
export const SLIC_PARTS = [slic, toLab, seedCentres, assign, recentre, connect, neighbour] as const;
