import type { Point, Rect } from "../../kit/geometry.js";
import { HALO, devicePoint, paintDisc } from "../../kit/paint.js";
import type { Style } from "../../kit/paint.js";
import type { Path, PathKind } from "../../kit/path.js";
import { RestingPainter } from "../../kit/resting-painter.js";
import type { ShapeSource } from "../../kit/resting-painter.js";
import type { Surface } from "../../kit/stage.js";

/** Draws polygons, polylines, lines and single points. */
export class PathPainter extends RestingPainter<Path> {
  constructor(
    source: ShapeSource<Path>,
    private readonly kind: PathKind,
  ) {
    super(source);
  }

  paintShape(context: CanvasRenderingContext2D, surface: Surface, path: Path, style: Style, strong: boolean): void {
    const { ratio } = surface;
    const points = path.points.map((p) => devicePoint(surface, p));
    const [first] = points;
    if (!first) return;
    if (this.kind.single) {
      paintDisc(context, first, strong ? 7 : 5, style.line, strong ? "#ffffff" : HALO, ratio);
      return;
    }
    context.lineJoin = "round";
    context.beginPath();
    trace(context, points, this.kind.closed);
    if (this.kind.closed) {
      context.fillStyle = strong ? style.strongFill : style.fill;
      context.fill();
    }
    context.strokeStyle = HALO;
    context.lineWidth = (strong ? 4.5 : 4) * ratio;
    context.stroke();
    context.strokeStyle = style.line;
    context.lineWidth = (strong ? 2.5 : 2) * ratio;
    context.stroke();
  }

  protected paintPlain(context: CanvasRenderingContext2D, surface: Surface, paths: readonly Path[], style: Style): void {
    const { ratio } = surface;
    if (this.kind.single) {
      const half = Math.round(2 * ratio);
      context.fillStyle = style.line;
      for (const path of paths) for (const p of path.points) square(context, devicePoint(surface, p), half);
      return;
    }
    context.strokeStyle = style.line;
    context.lineWidth = Math.max(1, Math.round(ratio));
    context.lineJoin = "bevel";
    for (const path of paths) {
      context.beginPath();
      trace(context, thinned(path.points.map((p) => devicePoint(surface, p))), this.kind.closed);
      context.stroke();
    }
  }

  protected override pointsOf(paths: readonly Path[]): number {
    let count = 0;
    for (const path of paths) count += path.points.length;
    return count;
  }

  /** Beside a single point, which its name would cover. */
  protected override nameRect(r: Rect, ratio: number): Rect {
    return this.kind.single ? { ...r, left: r.left + 9 * ratio, top: r.top - 2 * ratio } : r;
  }

  protected override nameFits(r: Rect, ratio: number): boolean {
    return this.kind.single || Math.max(r.width, r.height) >= 24 * ratio;
  }
}

export function trace(context: CanvasRenderingContext2D, points: readonly Point[], closed: boolean): void {
  points.forEach((p, i) => (i === 0 ? context.moveTo(p.x, p.y) : context.lineTo(p.x, p.y)));
  if (closed) context.closePath();
}

/** Without points that lie within a pixel or so of the one before: nobody would see them. */
function thinned(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  points.forEach((p, i) => {
    const last = kept.at(-1);
    if (!last || i === points.length - 1 || Math.abs(p.x - last.x) + Math.abs(p.y - last.y) > 1.5) kept.push(p);
  });
  return kept;
}

function square(context: CanvasRenderingContext2D, at: Point, half: number): void {
  context.fillRect(Math.round(at.x) - half, Math.round(at.y) - half, 2 * half, 2 * half);
}
