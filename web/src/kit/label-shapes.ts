import type { Point, Rect } from "./geometry.js";
import type { LabelMap, Over } from "./label-map.js";

// What people paint on label maps. A pixel belongs to a shape when its middle
// lies within.

/** A stroke of a round brush from a to b. */
export function paintStroke(map: LabelMap, a: Point, b: Point, radius: number, value: number, over: Over): void {
  const r = Math.max(0.5, radius);
  const part = around([a, b], r);
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  // The stroke is the ends' discs and the band between them.
  const [nx, ny] = length === 0 ? [0, 0] : [(-(b.y - a.y) / length) * r, ((b.x - a.x) / length) * r];
  const band = [{ x: a.x + nx, y: a.y + ny }, { x: b.x + nx, y: b.y + ny }, { x: b.x - nx, y: b.y - ny }, { x: a.x - nx, y: a.y - ny }];
  for (let y = Math.max(0, Math.floor(part.top)); y < Math.min(map.size.height, part.top + part.height); y++) {
    let [left, right] = [Infinity, -Infinity];
    const widen = (from: number, to: number): void => void ([left, right] = [Math.min(left, from), Math.max(right, to)]);
    for (const end of [a, b]) {
      const reach = r * r - (y + 0.5 - end.y) ** 2;
      if (reach >= 0) widen(end.x - Math.sqrt(reach), end.x + Math.sqrt(reach));
    }
    if (length > 0) for (const x of crossings(band, y + 0.5)) widen(x, x);
    // Even the smallest brush marks the pixel it points at.
    if (Math.floor(a.y) === y) widen(Math.floor(a.x) + 0.5, Math.floor(a.x) + 0.5);
    map.span(y, Math.ceil(left - 0.5), Math.floor(right - 0.5) + 1, value, over);
  }
  map.changed(part);
}

/** The inside of an outline; where it crosses itself, what is within an odd number of turns. */
export function paintPolygon(map: LabelMap, outline: readonly Point[], value: number, over: Over): void {
  const part = around(outline, 1);
  for (let y = Math.max(0, Math.floor(part.top)); y < Math.min(map.size.height, part.top + part.height); y++) {
    const xs = crossings(outline, y + 0.5);
    for (let i = 0; i + 1 < xs.length; i += 2) map.span(y, Math.ceil((xs[i] as number) - 0.5), Math.ceil((xs[i + 1] as number) - 0.5), value, over);
  }
  map.changed(part);
}

function crossings(outline: readonly Point[], y: number): number[] {
  const xs: number[] = [];
  outline.forEach((a, i) => {
    const b = outline[(i + 1) % outline.length] as Point;
    if (a.y <= y !== b.y <= y) xs.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  });
  return xs.sort((p, q) => p - q);
}

/** The connected area of one value around a pixel gets another. False when it has it already. */
export function fillArea(map: LabelMap, at: Point, value: number): boolean {
  const [x0, y0] = [Math.floor(at.x), Math.floor(at.y)];
  const old = map.at(x0, y0);
  if (!map.inside(x0, y0) || old === value) return false;
  const { width, height } = map.size;
  const stack = [x0, y0];
  let [left, top, right, bottom] = [x0, y0, x0, y0];
  while (stack.length > 0) {
    const y = stack.pop() as number;
    let x = stack.pop() as number;
    if (map.at(x, y) !== old) continue;
    while (x > 0 && map.at(x - 1, y) === old) x--;
    let end = x;
    while (end < width && map.at(end, y) === old) end++;
    map.span(y, x, end, value);
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= height) continue;
      for (let i = x; i < end; i++) if (map.at(i, next) === old && (i === x || map.at(i - 1, next) !== old)) stack.push(i, next);
    }
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, end), Math.max(bottom, y)];
  }
  map.changed({ left, top, width: right - left, height: bottom - top + 1 });
  return true;
}

/** The box around points with some room. */
export function around(points: readonly Point[], by: number): Rect {
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const [left, top] = [Math.floor(Math.min(...xs) - by), Math.floor(Math.min(...ys) - by)];
  return { left, top, width: Math.ceil(Math.max(...xs) + by) + 1 - left, height: Math.ceil(Math.max(...ys) + by) + 1 - top };
}
