import type { Work } from "./slic.js";

// The cheapest cut through a grid of pixels, by augmenting paths that grow from
// both ends and are mended instead of searched anew (Boykov and Kolmogorov,
// 2004), which on pictures is the quickest of the classical ways.
//
// Like slic.ts this runs in a worker made from the functions' own text.

/**
 * Finds which nodes stay with the source. `tie` of a node is what ties it to the
 * source, or, below zero, to the sink; `caps[d * n + i]` what ties node i to its
 * neighbour in direction d, where directions 2k and 2k+1 are each other's
 * opposite and `offsets[d]` leads there. Ties out of the grid must be 0. Both
 * arrays are used up.
 */
export function* cutGrid(tie: Float32Array, caps: Float32Array, offsets: readonly number[]): Work<Uint8Array> {
  const n = tie.length;
  const SOURCE = 1;
  const SINK = 2;
  const ROOT = -1; // the parent is the end itself
  const NONE = -2;
  const tree = new Uint8Array(n);
  const parent = new Int8Array(n).fill(NONE); // the direction to the parent
  const depth = new Int32Array(n);
  const stamp = new Int32Array(n);
  const queued = new Uint8Array(n);
  const ring = new Int32Array(n + 1);
  const orphans: number[] = [];
  let head = 0;
  let tail = 0;
  let time = 0;

  const activate = (i: number): void => {
    if (queued[i] === 1) return;
    queued[i] = 1;
    ring[tail] = i;
    tail = tail === n ? 0 : tail + 1;
  };
  const cap = (i: number, d: number): number => caps[d * n + i] as number;
  const push = (i: number, d: number, flow: number): void => {
    const j = i + (offsets[d] as number);
    caps[d * n + i] = cap(i, d) - flow;
    caps[(d ^ 1) * n + j] = cap(j, d ^ 1) + flow;
  };
  /** What can flow from the source's side to the sink's between i and its neighbour, as seen from i's tree. */
  const room = (i: number, d: number): number => (tree[i] === SOURCE ? cap(i, d) : cap(i + (offsets[d] as number), d ^ 1));
  const orphan = (i: number): void => {
    parent[i] = NONE;
    orphans.push(i);
  };

  for (let i = 0; i < n; i++) {
    if (tie[i] === 0) continue;
    tree[i] = (tie[i] as number) > 0 ? SOURCE : SINK;
    parent[i] = ROOT;
    activate(i);
  }

  /** Walks from a node to its end; gives the narrowest place, or takes `flow` off each. */
  const walk = (from: number, flow: number): number => {
    let least = Infinity;
    let i = from;
    for (;;) {
      const d = parent[i] as number;
      if (d === ROOT) break;
      const up = i + (offsets[d] as number);
      const source = tree[i] === SOURCE;
      if (flow > 0) {
        if (source) push(up, d ^ 1, flow);
        else push(i, d, flow);
        if ((source ? cap(up, d ^ 1) : cap(i, d)) <= 0) orphan(i);
      } else least = Math.min(least, source ? cap(up, d ^ 1) : cap(i, d));
      i = up;
    }
    if (flow > 0) {
      tie[i] = (tie[i] as number) + (tree[i] === SOURCE ? -flow : flow);
      if (Math.abs(tie[i] as number) < 1e-6) {
        tie[i] = 0;
        orphan(i);
      }
      return flow;
    }
    return Math.min(least, Math.abs(tie[i] as number));
  };

  /** How far a node is from its end, or Infinity when the way is broken. Marks the way as good for this time. */
  const distance = (from: number): number => {
    let steps = 0;
    let i = from;
    for (;;) {
      if (stamp[i] === time) {
        steps += depth[i] as number;
        break;
      }
      const d = parent[i] as number;
      if (d === NONE) return Infinity;
      steps++;
      if (d === ROOT) {
        stamp[i] = time;
        depth[i] = 1;
        break;
      }
      i += offsets[d] as number;
    }
    let left = steps;
    for (let j = from; stamp[j] !== time; j += offsets[parent[j] as number] as number) {
      stamp[j] = time;
      depth[j] = left--;
    }
    return steps;
  };

  const adopt = (i: number): void => {
    let best = NONE;
    let nearest = Infinity;
    const own = tree[i] as number;
    for (let d = 0; d < offsets.length; d++) {
      const j = i + (offsets[d] as number);
      if (tree[j] !== own || (own === SOURCE ? cap(j, d ^ 1) : cap(i, d)) <= 0) continue;
      const far = distance(j);
      if (far < nearest) [best, nearest] = [d, far];
    }
    parent[i] = best;
    if (best !== NONE) {
      stamp[i] = time;
      depth[i] = nearest + 1;
      return;
    }
    for (let d = 0; d < offsets.length; d++) {
      const j = i + (offsets[d] as number);
      if (tree[j] !== own) continue;
      if ((own === SOURCE ? cap(j, d ^ 1) : cap(i, d)) > 0) activate(j);
      if (parent[j] === (d ^ 1)) orphan(j);
    }
    tree[i] = 0;
  };

  /** Grows from a node until the trees meet; the direction in which they do, or NONE. */
  const grow = (i: number): number => {
    for (let d = 0; d < offsets.length; d++) {
      if (room(i, d) <= 0) continue;
      const j = i + (offsets[d] as number);
      if (tree[j] === 0) {
        tree[j] = tree[i] as number;
        parent[j] = d ^ 1;
        stamp[j] = stamp[i] as number;
        depth[j] = (depth[i] as number) + 1;
        activate(j);
      } else if (tree[j] !== tree[i]) return d;
    }
    return NONE;
  };

  for (let work = 0; head !== tail; work++) {
    if (work % 4096 === 0) yield;
    const i = ring[head] as number;
    for (;;) {
      const d = tree[i] === 0 ? NONE : grow(i);
      if (d === NONE) break;
      time++;
      const j = i + (offsets[d] as number);
      const [a, b, way] = tree[i] === SOURCE ? [i, j, d] : [j, i, d ^ 1];
      const flow = Math.min(cap(a, way), walk(a, 0), walk(b, 0));
      push(a, way, flow);
      walk(a, flow);
      walk(b, flow);
      // Orphans that others make are settled in the order they came, as the trees stay shallow that way.
      for (let k = 0; k < orphans.length; k++) adopt(orphans[k] as number);
      orphans.length = 0;
    }
    queued[i] = 0;
    head = head === n ? 0 : head + 1;
  }
  return tree.map((t) => (t === SOURCE ? 1 : 0));
}

/** What this file gives to the worker. */
export const FLOW_PARTS = [cutGrid] as const;
