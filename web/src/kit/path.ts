import { boundsOf, clamp, distance, insidePolygon, nearestPoint, nearestSegment, polygonArea } from "./geometry.js";
import type { Outline, Point, Rect, Size } from "./geometry.js";
import { isRecord } from "./record.js";
import { numberFrom } from "./shape.js";
import type { Shape, ShapeKind } from "./shape.js";

/** A shape that is its points: a polygon, a polyline, a line, or a single point. */
export interface Path extends Shape {
  readonly points: readonly Point[];
}

export interface PathOptions {
  /** The answer's member: "polygons", "polylines", "lines", "keypoints". */
  readonly member: string;
  readonly tellsModified: boolean;
  /** The last point is joined to the first. */
  readonly closed: boolean;
  readonly least: number;
  readonly most: number;
}

/** The geometry and the answer of paths. A path of exactly one point is answered as `{label, x, y}`, others with `vertices`. */
export class PathKind implements ShapeKind<Path> {
  readonly shapesFirst = false;
  readonly member: string;
  readonly tellsModified: boolean;
  readonly closed: boolean;
  readonly least: number;
  readonly most: number;
  readonly single: boolean;

  constructor(options: PathOptions) {
    this.member = options.member;
    this.tellsModified = options.tellsModified;
    this.closed = options.closed;
    this.least = options.least;
    this.most = options.most;
    this.single = options.most === 1;
  }

  get knownLabelsOnly(): boolean {
    return this.single;
  }

  bounds(path: Path): Rect {
    return boundsOf(path.points);
  }

  /** A single point draws nothing to itself: two points on one spot cannot be told apart. */
  outline(path: Path): Outline | null {
    return this.single ? null : this.line(path);
  }

  line(path: Path): Outline {
    return { points: path.points, closed: this.closed };
  }

  distance(path: Path, p: Point): number {
    const first = path.points[0];
    return nearestSegment(this.line(path), p)?.distance ?? (first ? distance(first, p) : Infinity);
  }

  encloses(path: Path, p: Point): boolean {
    return this.closed && insidePolygon(path.points, p);
  }

  area(path: Path): number {
    return this.closed ? polygonArea(path.points) : 0;
  }

  fit(path: Path, image: Size): Path {
    return { ...path, points: path.points.map((p) => this.fitPoint(p, image)) };
  }

  /** Corners may lie on the picture's far edges; a single point names a pixel, and the last one is width − 1. */
  fitPoint(p: Point, image: Size): Point {
    const less = this.single ? 1 : 0;
    return { x: clamp(Math.round(p.x), 0, Math.max(0, image.width - less)), y: clamp(Math.round(p.y), 0, Math.max(0, image.height - less)) };
  }

  move(path: Path, dx: number, dy: number, image: Size): Path {
    const { left, top, width, height } = this.bounds(path);
    const less = this.single ? 1 : 0;
    const x = clamp(Math.round(dx), -left, Math.max(-left, image.width - less - left - width));
    const y = clamp(Math.round(dy), -top, Math.max(-top, image.height - less - top - height));
    return x === 0 && y === 0 ? path : { ...path, points: path.points.map((p) => ({ x: p.x + x, y: p.y + y })) };
  }

  samePlace(a: Path, b: Path): boolean {
    return a.points.length === b.points.length && a.points.every((p, i) => p.x === b.points[i]?.x && p.y === b.points[i]?.y);
  }

  read(entry: Record<string, unknown>, id: number, firstLabel: string): Path | null {
    const list = this.single ? [entry] : entry.vertices;
    if (!Array.isArray(list)) return null;
    const points = (list as unknown[]).map(pointFrom);
    if (points.length < this.least || points.length > this.most || points.includes(null)) return null;
    return { id, label: typeof entry.label === "string" ? entry.label : firstLabel, points: points as Point[] };
  }

  write({ label, points }: Path): object {
    const vertices = points.map(({ x, y }) => ({ x, y }));
    return this.single ? { label, ...vertices[0] } : { label, vertices };
  }

  brief({ points }: Path): string {
    const [a, b] = points;
    if (a && this.single) return `${a.x}, ${a.y}`;
    return a && b && this.most === 2 ? `${Math.round(distance(a, b))} px` : `${points.length} pts`;
  }

  spoken({ label, points }: Path): string {
    const [a, b] = points;
    if (!a) return label;
    if (this.single) return `${label} at ${a.x}, ${a.y}`;
    if (b && this.most === 2) return `${label}, from ${a.x}, ${a.y} to ${b.x}, ${b.y}`;
    return `${label}, ${points.length} points, the first at ${a.x}, ${a.y}`;
  }

  /** The number of the path's point within reach of p. */
  vertexAt(path: Path, p: Point, reach: number): number | null {
    return nearestPoint(path.points, p, reach);
  }

  withPoint(path: Path, at: number, p: Point): Path {
    return { ...path, points: path.points.map((old, i) => (i === at ? p : old)) };
  }

  /** With another point after the given one; null when the path has all the points that it may have. */
  withPointAfter(path: Path, at: number, p: Point): Path | null {
    if (path.points.length >= this.most) return null;
    return { ...path, points: [...path.points.slice(0, at + 1), p, ...path.points.slice(at + 1)] };
  }

  /** Without one point; null when the rest would be no such shape any more. */
  withoutPoint(path: Path, at: number): Path | null {
    return path.points.length <= this.least ? null : { ...path, points: path.points.filter((_, i) => i !== at) };
  }
}

function pointFrom(value: unknown): Point | null {
  const [x, y] = isRecord(value) ? [numberFrom(value.x), numberFrom(value.y)] : [];
  return x === undefined || y === undefined ? null : { x, y };
}
