import type { Point } from "./geometry.js";
import type { Path, PathKind } from "./path.js";
import { ShapeEditor } from "./shape-editor.js";

/**
 * The drawing of paths: beside what every shape editor has, the path that is
 * just being drawn, point by point, and the selected path's active point.
 */
export class PathEditor extends ShapeEditor<Path> {
  private drawn: readonly Point[] = [];
  private taken: readonly Point[] = [];
  private point: number | null = null;

  constructor(override readonly kind: PathKind) {
    super(kind);
  }

  // The path that is being drawn

  /** The points so far; none when nothing is being drawn. */
  get draft(): readonly Point[] {
    return this.drawn;
  }

  /** Adds a point to the path that is being drawn, or begins one. False without a label to give. */
  extend(p: Point): boolean {
    if (this.labels.active === "") return false;
    const next = this.kind.fitPoint(p, this.image);
    const last = this.drawn.at(-1);
    if (last && last.x === next.x && last.y === next.y) return true;
    if (this.drawn.length === 0) this.select(null);
    this.taken = [];
    this.setDraft([...this.drawn, next]);
    if (this.drawn.length === this.kind.most) this.finish();
    return true;
  }

  /** Makes a shape of the draft; false when it has too few points yet. */
  finish(): boolean {
    if (this.drawn.length < this.kind.least) return false;
    const points = this.drawn;
    this.setDraft([]);
    this.taken = [];
    return this.insert((id, label) => ({ id, label, points })) !== null;
  }

  abandon(): void {
    this.taken = [];
    this.setDraft([]);
  }

  /** While drawing, undo takes back the last point. */
  override undo(): boolean {
    const last = this.drawn.at(-1);
    if (!last) return super.undo();
    this.taken = [...this.taken, last];
    this.setDraft(this.drawn.slice(0, -1));
    return true;
  }

  override redo(): boolean {
    const back = this.taken.at(-1);
    if (!back) return super.redo();
    this.taken = this.taken.slice(0, -1);
    this.setDraft([...this.drawn, back]);
    return true;
  }

  override get canUndo(): boolean {
    return this.drawn.length > 0 || super.canUndo;
  }

  override get canRedo(): boolean {
    return this.taken.length > 0 || super.canRedo;
  }

  private setDraft(points: readonly Point[]): void {
    this.drawn = points;
    this.tell("selection");
  }

  // The points of the selected path

  /** The number of the selected path's point that keys act on; null for the path as a whole. */
  get activePoint(): number | null {
    const count = this.selected?.points.length ?? 0;
    return this.point !== null && this.point < count && !this.kind.single ? this.point : null;
  }

  activate(point: number | null): void {
    if (this.point === point) return;
    this.point = point;
    this.tell("selection");
  }

  override select(id: number | null): void {
    if (id !== this.selected?.id) this.point = null;
    if (id !== null && this.drawn.length > 0) this.abandon();
    super.select(id);
  }

  stepPoint(by: 1 | -1): void {
    const count = this.selected?.points.length ?? 0;
    if (count === 0) return;
    const from = this.activePoint ?? (by > 0 ? -1 : count);
    this.activate((from + by + count) % count);
  }

  placePoint(at: number, p: Point): void {
    const path = this.selected;
    if (!path) return;
    this.replaceShape(this.kind.withPoint(path, at, p));
    this.activate(at);
  }

  insertPoint(after: number, p: Point): void {
    const path = this.selected;
    const next = path && this.kind.withPointAfter(path, after, p);
    if (!next) return;
    this.replaceShape(next);
    this.activate(after + 1);
  }

  /** Inserts a point in the middle of the line that follows the active point, or precedes it at an open end. */
  splitAfterActive(): void {
    const points = this.selected?.points ?? [];
    const { activePoint } = this;
    if (activePoint === null) return;
    const open = !this.kind.closed && activePoint === points.length - 1;
    const from = open ? activePoint - 1 : activePoint;
    const [a, b] = [points[from], points[(from + 1) % points.length]];
    if (a && b) this.insertPoint(from, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  }

  /** Takes a point away; the whole path when it could not be without it. */
  removePoint(at: number): void {
    const path = this.selected;
    if (!path) return;
    const next = this.kind.withoutPoint(path, at);
    if (!next) return this.remove(path.id);
    this.replaceShape(next);
    this.point = null;
    this.activate(Math.min(at, next.points.length - 1));
  }

  /** What Delete means: the active point, or the selected path. */
  removeActive(): void {
    if (this.activePoint !== null) this.removePoint(this.activePoint);
    else if (this.selected) this.remove(this.selected.id);
  }

  nudgeActive(dx: number, dy: number): void {
    const path = this.selected;
    const { activePoint } = this;
    const p = activePoint === null ? undefined : path?.points[activePoint];
    if (path && p && activePoint !== null) this.replaceShape(this.kind.withPoint(path, activePoint, { x: p.x + dx, y: p.y + dy }), `point ${path.id} ${activePoint}`);
    else if (path) this.nudge(path.id, dx, dy);
  }
}
