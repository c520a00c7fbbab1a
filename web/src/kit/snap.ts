import { distance, nearestSegment } from "./geometry.js";
import type { Outline, Point, Size } from "./geometry.js";

/** A place that attracts the pointer. */
export interface Snap {
  readonly point: Point;
  readonly on: "vertex" | "edge";
}

/**
 * The place within reach that p is drawn to: the nearest vertex, or else the
 * nearest point of an edge. The picture's own border is an edge among others.
 */
export function snapTo(p: Point, outlines: Iterable<Outline>, image: Size, reach: number): Snap | null {
  let vertex: Point | null = null;
  let edge: Point | null = null;
  let vertexReach = reach;
  let edgeReach = reach;
  const consider = (outline: Outline): void => {
    for (const point of outline.points) {
      const far = distance(point, p);
      if (far > vertexReach) continue;
      vertex = point;
      vertexReach = far;
    }
    const near = nearestSegment(outline, p);
    if (!near || near.distance > edgeReach) return;
    edge = near.point;
    edgeReach = near.distance;
  };
  for (const outline of outlines) consider(outline);
  consider(border(image));
  const point = vertex ?? edge;
  return point && { point, on: vertex ? "vertex" : "edge" };
}

/** The smallest shift that brings one of the points to where it is drawn; none when nothing draws them. */
export function snapShift(points: readonly Point[], find: (p: Point) => Snap | null): Point {
  let best: Point = { x: 0, y: 0 };
  let bestFar = Infinity;
  for (const p of points) {
    const snap = find(p);
    if (!snap) continue;
    const far = distance(snap.point, p);
    if (far >= bestFar) continue;
    best = { x: snap.point.x - p.x, y: snap.point.y - p.y };
    bestFar = far;
  }
  return best;
}

function border({ width, height }: Size): Outline {
  return { closed: true, points: [{ x: 0, y: 0 }, { x: width, y: 0 }, { x: width, y: height }, { x: 0, y: height }] };
}
