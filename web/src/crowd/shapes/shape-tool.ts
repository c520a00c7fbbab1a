import type { Point } from "../../kit/geometry.js";
import type { Pointing, Tool } from "../../kit/gestures.js";
import { devicePoint, paintSnap, styleOf } from "../../kit/paint.js";
import type { Style } from "../../kit/paint.js";
import type { RestingPainter } from "../../kit/resting-painter.js";
import type { ShapeEditor } from "../../kit/shape-editor.js";
import type { Shape } from "../../kit/shape.js";
import { snapShift } from "../../kit/snap.js";
import type { Painter, Stage, Surface } from "../../kit/stage.js";

/** A press that moves less than this, in CSS pixels, is a click. */
export const CLICK_SLOP = 4;
const SNAP_REACH = 7;

/** What drawing and changing shapes with a pointer has in common, whatever the shapes. */
export abstract class ShapeTool<S extends Shape, E extends ShapeEditor<S>> implements Tool, Painter {
  mode: "draw" | "select" = "draw";
  /** Points are drawn to vertices and edges nearby, unless Ctrl is held. */
  snapping = true;
  /** Where the pointer is over the picture, in image pixels. */
  pointer: Point | null = null;
  protected hovered: S | null = null;
  protected snapped: Point | null = null;

  /** Where the pointer is, for the crosshair; null when it is away or busy elsewhere. */
  onPointer: (screen: Point | null) => void = () => {};
  /** Something could not be done, and why. */
  onHint: (text: string) => void = () => {};

  constructor(
    protected readonly stage: Stage,
    protected readonly editor: E,
    protected readonly resting: RestingPainter<S>,
  ) {}

  /** Something is half done: a drag, or a path of which only some points are placed. */
  abstract readonly busy: boolean;
  abstract press(at: Pointing): boolean;
  abstract drag(at: Pointing): void;
  abstract release(at: Pointing): void;
  abstract cancel(): void;
  /** Drops all that is half done. */
  drop(): void {
    this.cancel();
  }

  protected abstract cursor(at: Pointing, under: S | null): string;
  protected abstract paintWork(context: CanvasRenderingContext2D, surface: Surface): void;
  /** The selected shape is no longer what the drag began with. */
  protected abstract interrupted(): boolean;

  get idle(): boolean {
    return !this.busy && this.hovered === null && this.snapped === null && this.editor.selected === null;
  }

  hover(at: Pointing | null): void {
    this.pointer = at?.image ?? null;
    this.onPointer(at?.screen ?? null);
    const shape = at && !this.busy && this.picks ? this.editor.at(at.image, this.reach(at)) : null;
    this.stage.root.style.cursor = at ? this.cursor(at, shape) : "";
    if (this.hoverWork(at) || shape?.id !== this.hovered?.id) this.stage.invalidate("top");
    this.hovered = shape;
  }

  /** A press would select the shape under the pointer. */
  protected get picks(): boolean {
    return true;
  }

  /** After shapes changed by other means. */
  refresh(): void {
    this.hovered = null;
    if (this.interrupted()) this.cancel();
    this.resting.lifted = this.editor.selected?.id ?? null;
    this.stage.invalidate("base", "top");
  }

  paint(context: CanvasRenderingContext2D, surface: Surface): void {
    const { hovered } = this;
    if (hovered && hovered.id !== this.editor.selected?.id && !this.busy) this.paintLifted(context, surface, hovered);
    this.paintWork(context, surface);
    if (this.snapped) paintSnap(context, devicePoint(surface, this.snapped), surface.ratio);
  }

  /** True when what follows the pointer has to be painted again. */
  protected hoverWork(_at: Pointing | null): boolean {
    return false;
  }

  protected paintLifted(context: CanvasRenderingContext2D, surface: Surface, shape: S): void {
    this.resting.paintShape(context, surface, shape, this.styleOf(shape.label), true);
    this.resting.paintNameOf(context, surface, shape, shape.label);
  }

  protected styleOf(label: string): Style {
    return styleOf(this.editor.labels.colourOf(label));
  }

  /** How near one must come to grip something, in image pixels. */
  protected reach(at: Pointing): number {
    return (at.coarse ? 18 : 8) / this.stage.view.scale;
  }

  /**
   * The point that is meant: where it is drawn to, or where the pointer is. What
   * was gripped beside its middle stays so far from the pointer.
   */
  protected meant(at: Pointing, except: number | null, grip: Point = { x: 0, y: 0 }): Point {
    const p = { x: at.image.x + grip.x, y: at.image.y + grip.y };
    const snap = this.snaps(at) ? this.editor.snap(p, SNAP_REACH / this.stage.view.scale, except) : null;
    this.mark(snap?.point ?? null);
    return snap?.point ?? p;
  }

  /** A shift of a whole shape, adjusted so that one of its points comes to where it is drawn. */
  protected meantShift(at: Pointing, from: Point, points: readonly Point[], except: number): Point {
    const raw = { x: at.image.x - from.x, y: at.image.y - from.y };
    // Long outlines are not searched on every move of the pointer.
    if (!this.snaps(at) || points.length > 64) return raw;
    const { scale } = this.stage.view;
    if (Math.hypot(raw.x, raw.y) * scale < CLICK_SLOP) return raw;
    const reach = SNAP_REACH / scale;
    const extra = snapShift(points.map((p) => ({ x: p.x + raw.x, y: p.y + raw.y })), (p) => this.editor.snap(p, reach, except));
    return { x: raw.x + extra.x, y: raw.y + extra.y };
  }

  protected mark(point: Point | null): void {
    if (point === this.snapped) return;
    this.snapped = point;
    this.stage.invalidate("top");
  }

  private snaps(at: Pointing): boolean {
    return this.snapping && !at.mod;
  }
}

export function strayed(from: Point, to: Point): boolean {
  return Math.max(Math.abs(from.x - to.x), Math.abs(from.y - to.y)) >= CLICK_SLOP;
}
