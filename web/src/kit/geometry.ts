// Plane geometry in image pixels. A rectangle covers [left, left+width) by
// [top, top+height); the image itself is a rectangle from 0, 0.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The eight grips of a rectangle, by compass. */
export type Handle = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w";

export const HANDLES: readonly Handle[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

export function rectFromPoints(a: Point, b: Point): Rect {
  const left = Math.min(a.x, b.x);
  const top = Math.min(a.y, b.y);
  return { left, top, width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

export function area(r: Rect): number {
  return r.width * r.height;
}

export function contains(r: Rect, p: Point): boolean {
  return p.x >= r.left && p.x < r.left + r.width && p.y >= r.top && p.y < r.top + r.height;
}

export function intersects(a: Rect, b: Rect): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

export function inflate(r: Rect, by: number): Rect {
  return { left: r.left - by, top: r.top - by, width: r.width + 2 * by, height: r.height + 2 * by };
}

export function sameRect(a: Rect, b: Rect): boolean {
  return a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;
}

/** The distance from p to the outline of r, 0 on the outline. */
export function distanceToOutline(r: Rect, p: Point): number {
  const right = r.left + r.width;
  const bottom = r.top + r.height;
  if (p.x >= r.left && p.x <= right && p.y >= r.top && p.y <= bottom) {
    return Math.min(p.x - r.left, right - p.x, p.y - r.top, bottom - p.y);
  }
  return Math.hypot(p.x - clamp(p.x, r.left, right), p.y - clamp(p.y, r.top, bottom));
}

/**
 * Rounds to whole pixels and clips to the image: edges are rounded, not sizes,
 * so two boxes that shared an edge still do. Never narrower than one pixel.
 */
export function snapToImage(r: Rect, image: Size): Rect {
  const left = clamp(Math.round(r.left), 0, Math.max(0, image.width - 1));
  const top = clamp(Math.round(r.top), 0, Math.max(0, image.height - 1));
  const right = clamp(Math.round(r.left + r.width), left + 1, Math.max(left + 1, image.width));
  const bottom = clamp(Math.round(r.top + r.height), top + 1, Math.max(top + 1, image.height));
  return { left, top, width: right - left, height: bottom - top };
}

/** Moves r by dx, dy and keeps it whole within the image. */
export function moveWithin(r: Rect, dx: number, dy: number, image: Size): Rect {
  return {
    left: clamp(r.left + dx, 0, Math.max(0, image.width - r.width)),
    top: clamp(r.top + dy, 0, Math.max(0, image.height - r.height)),
    width: r.width,
    height: r.height,
  };
}

/** Pulls one handle of r to p. Past the opposite side the rectangle turns over. */
export function resizeTo(r: Rect, handle: Handle, p: Point): Rect {
  const right = r.left + r.width;
  const bottom = r.top + r.height;
  let a = { x: r.left, y: r.top };
  let b = { x: right, y: bottom };
  if (handle.includes("w")) a = { x: p.x, y: a.y };
  if (handle.includes("e")) b = { x: p.x, y: b.y };
  if (handle.startsWith("n")) a = { x: a.x, y: p.y };
  if (handle.startsWith("s")) b = { x: b.x, y: p.y };
  return rectFromPoints(a, b);
}

export function handlePoint(r: Rect, handle: Handle): Point {
  const x = handle.includes("w") ? r.left : handle.includes("e") ? r.left + r.width : r.left + r.width / 2;
  const y = handle.startsWith("n") ? r.top : handle.startsWith("s") ? r.top + r.height : r.top + r.height / 2;
  return { x, y };
}

/** The handle of r within reach of p, corners before edges, or null. */
export function handleAt(r: Rect, p: Point, reach: number): Handle | null {
  let best: Handle | null = null;
  let bestDistance = reach;
  for (const handle of HANDLES) {
    const at = handlePoint(r, handle);
    const distance = Math.max(Math.abs(at.x - p.x), Math.abs(at.y - p.y));
    const corner = handle.length === 2;
    if (distance < bestDistance || (corner && distance <= reach && best !== null && best.length === 1)) {
      best = handle;
      bestDistance = distance;
    }
  }
  return best;
}

/** A line through points; closed, it comes back to the first. */
export interface Outline {
  readonly points: readonly Point[];
  readonly closed: boolean;
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** The smallest rectangle around the points; a single point gives one without width and height. */
export function boundsOf(points: readonly Point[]): Rect {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const { x, y } of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return points.length === 0 ? { left: 0, top: 0, width: 0, height: 0 } : { left, top, width: right - left, height: bottom - top };
}

/** The point of the segment from a to b that is nearest to p. */
export function nearestOnSegment(a: Point, b: Point, p: Point): Point {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0, 1);
  return { x: a.x + t * dx, y: a.y + t * dy };
}

/** The segments of an outline as the numbers of their first points. */
export function segmentCount(outline: Outline): number {
  const { length } = outline.points;
  return outline.closed && length > 2 ? length : Math.max(0, length - 1);
}

export interface NearSegment {
  /** The segment begins at this point of the outline. */
  readonly segment: number;
  readonly point: Point;
  readonly distance: number;
}

/** Where an outline comes nearest to p; null for one without segments. */
export function nearestSegment(outline: Outline, p: Point): NearSegment | null {
  let best: NearSegment | null = null;
  for (let i = 0; i < segmentCount(outline); i++) {
    const a = outline.points[i];
    const b = outline.points[(i + 1) % outline.points.length];
    if (!a || !b) continue;
    const point = nearestOnSegment(a, b, p);
    const far = distance(point, p);
    if (!best || far < best.distance) best = { segment: i, point, distance: far };
  }
  return best;
}

/** The number of the point of the list that is nearest to p, within reach; null when there is none. */
export function nearestPoint(points: readonly Point[], p: Point, reach: number): number | null {
  let best: number | null = null;
  let bestDistance = reach;
  points.forEach((point, i) => {
    const far = distance(point, p);
    if (far > bestDistance || (best !== null && far === bestDistance)) return;
    best = i;
    bestDistance = far;
  });
  return best;
}

/** Whether p lies inside the closed line through the points, by the even-odd rule. */
export function insidePolygon(points: readonly Point[], p: Point): boolean {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const a = points[i];
    const b = points[j];
    if (!a || !b) continue;
    if (a.y > p.y !== b.y > p.y && p.x < ((b.x - a.x) * (p.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/** The area inside the closed line through the points. */
export function polygonArea(points: readonly Point[]): number {
  let twice = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const a = points[i];
    const b = points[j];
    if (a && b) twice += b.x * a.y - a.x * b.y;
  }
  return Math.abs(twice) / 2;
}
