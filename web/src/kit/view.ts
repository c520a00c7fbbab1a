import { clamp } from "./geometry.js";
import type { Point, Rect, Size } from "./geometry.js";

/** How image pixels come to lie on the screen: screen = image * scale + offset, in CSS pixels. */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** At most this many CSS pixels for one image pixel. */
export const MAX_SCALE = 40;

/** The whole image, centred, with a margin; never enlarged past twice its size. */
export function fitView(image: Size, screen: Size, margin = 16): View {
  const room = { width: Math.max(1, screen.width - 2 * margin), height: Math.max(1, screen.height - 2 * margin) };
  const scale = Math.min(room.width / Math.max(1, image.width), room.height / Math.max(1, image.height), 2);
  return centreView(image, screen, scale);
}

export function centreView(image: Size, screen: Size, scale: number): View {
  return { scale, x: (screen.width - image.width * scale) / 2, y: (screen.height - image.height * scale) / 2 };
}

export function minScale(image: Size, screen: Size): number {
  return Math.min(1, fitView(image, screen).scale) / 2;
}

/** Zooms by a factor so that the image point under `at` stays where it is. */
export function zoomAt(view: View, at: Point, factor: number, image: Size, screen: Size): View {
  const scale = clamp(view.scale * factor, minScale(image, screen), MAX_SCALE);
  const real = scale / view.scale;
  return keepInSight({ scale, x: at.x - (at.x - view.x) * real, y: at.y - (at.y - view.y) * real }, image, screen);
}

export function panBy(view: View, dx: number, dy: number, image: Size, screen: Size): View {
  return keepInSight({ scale: view.scale, x: view.x + dx, y: view.y + dy }, image, screen);
}

/** Keeps some of the image on the screen, so that nobody gets lost in the void. */
export function keepInSight(view: View, image: Size, screen: Size): View {
  const margin = Math.min(80, screen.width / 4, screen.height / 4);
  return {
    scale: view.scale,
    x: clamp(view.x, margin - image.width * view.scale, screen.width - margin),
    y: clamp(view.y, margin - image.height * view.scale, screen.height - margin),
  };
}

/** The view that shows r large, but not absurdly so. */
export function viewOfRect(r: Rect, image: Size, screen: Size): View {
  const scale = clamp(
    Math.min(screen.width / Math.max(1, r.width), screen.height / Math.max(1, r.height)) * 0.6,
    minScale(image, screen),
    8,
  );
  return keepInSight(
    { scale, x: screen.width / 2 - (r.left + r.width / 2) * scale, y: screen.height / 2 - (r.top + r.height / 2) * scale },
    image,
    screen,
  );
}

/** Moves the view the least that brings r into sight. */
export function reveal(view: View, r: Rect, image: Size, screen: Size): View {
  const seen = toScreenRect(view, r);
  const pad = 24;
  const dx = shift(seen.left, seen.left + seen.width, screen.width, pad);
  const dy = shift(seen.top, seen.top + seen.height, screen.height, pad);
  return dx === 0 && dy === 0 ? view : panBy(view, dx, dy, image, screen);
}

function shift(low: number, high: number, room: number, pad: number): number {
  if (high - low > room - 2 * pad) return low > room - pad || high < pad ? room / 2 - (low + high) / 2 : 0;
  if (low < pad) return pad - low;
  return high > room - pad ? room - pad - high : 0;
}

export function toImage(view: View, p: Point): Point {
  return { x: (p.x - view.x) / view.scale, y: (p.y - view.y) / view.scale };
}

export function toScreen(view: View, p: Point): Point {
  return { x: p.x * view.scale + view.x, y: p.y * view.scale + view.y };
}

export function toScreenRect(view: View, r: Rect): Rect {
  return { left: r.left * view.scale + view.x, top: r.top * view.scale + view.y, width: r.width * view.scale, height: r.height * view.scale };
}

/** The part of the plane, in image pixels, that the screen shows. */
export function visibleRect(view: View, screen: Size): Rect {
  return { left: -view.x / view.scale, top: -view.y / view.scale, width: screen.width / view.scale, height: screen.height / view.scale };
}

export function sameView(a: View, b: View): boolean {
  return a.scale === b.scale && a.x === b.x && a.y === b.y;
}
