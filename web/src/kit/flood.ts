import type { Rect } from "./geometry.js";

/** Pixels that were marked, and the box around them. */
export interface Marked {
  readonly mask: Uint8Array;
  readonly box: Rect;
}

/** The connected area around a pixel whose colours differ from that pixel's by at most `tolerance` in each channel. */
export function alikeArea(rgba: Uint8ClampedArray, width: number, height: number, x0: number, y0: number, tolerance: number): Marked {
  const mask = new Uint8Array(width * height);
  const start = 4 * (y0 * width + x0);
  const [r, g, b] = [rgba[start] as number, rgba[start + 1] as number, rgba[start + 2] as number];
  const alike = (p: number): boolean =>
    Math.abs((rgba[4 * p] as number) - r) <= tolerance && Math.abs((rgba[4 * p + 1] as number) - g) <= tolerance && Math.abs((rgba[4 * p + 2] as number) - b) <= tolerance;
  const stack = [y0 * width + x0];
  let [left, top, right, bottom] = [x0, y0, x0, y0];
  while (stack.length > 0) {
    const p = stack.pop() as number;
    if (mask[p] === 1) continue;
    const y = Math.floor(p / width);
    let [from, end] = [p, p + 1];
    while (from > y * width && mask[from - 1] === 0 && alike(from - 1)) from--;
    while (end < (y + 1) * width && mask[end] === 0 && alike(end)) end++;
    mask.fill(1, from, end);
    for (const by of [-width, width]) {
      if (y + by / width < 0 || y + by / width >= height) continue;
      let open = false;
      for (let q = from + by; q < end + by; q++) {
        const fresh = mask[q] === 0 && alike(q);
        if (fresh && !open) stack.push(q);
        open = fresh;
      }
    }
    [left, top, right, bottom] = [Math.min(left, from - y * width), Math.min(top, y), Math.max(right, end - 1 - y * width), Math.max(bottom, y)];
  }
  return { mask, box: { left, top, width: right - left + 1, height: bottom - top + 1 } };
}

/** A mask of another scale, asked by places of its own: between its pixels it is smooth, so enlarged borders are not jagged. */
export function smoothMask(mask: Uint8Array, width: number, height: number): (x: number, y: number) => boolean {
  const at = (x: number, y: number): number => mask[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] as number;
  return (x, y) => {
    const [fx, fy] = [x - 0.5, y - 0.5];
    const [ix, iy] = [Math.floor(fx), Math.floor(fy)];
    const [dx, dy] = [fx - ix, fy - iy];
    return (at(ix, iy) * (1 - dx) + at(ix + 1, iy) * dx) * (1 - dy) + (at(ix, iy + 1) * (1 - dx) + at(ix + 1, iy + 1) * dx) * dy >= 0.5;
  };
}
