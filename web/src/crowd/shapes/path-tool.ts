import { boundsOf, distance, nearestSegment, segmentCount } from "../../kit/geometry.js";
import type { Point } from "../../kit/geometry.js";
import type { Pointing } from "../../kit/gestures.js";
import { HALO, devicePoint, paintDisc, paintMeasure, paintSquareHandle } from "../../kit/paint.js";
import type { PathEditor } from "../../kit/path-editor.js";
import type { Path, PathKind } from "../../kit/path.js";
import type { Stage, Surface } from "../../kit/stage.js";
import { toScreen } from "../../kit/view.js";
import { trace } from "./path-painter.js";
import type { PathPainter } from "./path-painter.js";
import { CLICK_SLOP, ShapeTool, strayed } from "./shape-tool.js";

type Drag =
  /** A press that places a point when it is let go, or turns into a pan. */
  | { readonly kind: "place"; readonly from: Pointing; readonly start: Point; last: Point; panned: boolean }
  /** One point of the selected path, there already or about to be inserted. */
  | { readonly kind: "point"; readonly path: Path; readonly at: number; readonly inserted: boolean; readonly from: Point; readonly grip: Point; moved: Path }
  | { readonly kind: "move"; readonly path: Path; readonly from: Point; moved: Path };

/** Between points of a line drawn freehand, in CSS pixels. */
const FREEHAND_STEP = 12;
/** A shorter line, in CSS pixels, has no handle in its middle. */
const MIDDLE_FROM = 44;

/**
 * Drawing and changing paths with a pointer.
 *
 * Drawing: each click adds a point; a click on the last point ends the path, on
 * the first one closes a polygon; a drag pans, but draws a line of two points
 * at once and puts a single point where it is let go. The selected path is
 * changed by its points, by the middles of its lines, and moved by its inside;
 * with Shift a press on it draws. Selecting: a press on any path picks it.
 */
export class PathTool extends ShapeTool<Path, PathEditor> {
  private dragging: Drag | null = null;
  /** The end of the line that follows the pointer, or that arrow keys move. */
  private aim: Point | null = null;
  private drewLast = false;

  constructor(stage: Stage, editor: PathEditor, resting: PathPainter, private readonly kind: PathKind, private readonly noun: string) {
    super(stage, editor, resting);
  }

  get busy(): boolean {
    return this.dragging !== null || this.editor.draft.length > 0;
  }

  protected override get picks(): boolean {
    return this.mode === "select" || this.kind.single;
  }

  press(at: Pointing): boolean {
    const drafting = this.editor.draft.length > 0;
    this.drewLast = drafting;
    if (drafting) return this.startPlace(at);
    const selected = this.editor.selected;
    if (selected && !(at.shift && this.mode === "draw") && this.grip(selected, at)) return true;
    const path = this.picks ? this.editor.at(at.image, this.reach(at)) : null;
    if (path) {
      this.editor.select(path.id);
      return this.start({ kind: "move", path, from: at.image, moved: path });
    }
    if (this.mode === "draw" && this.onPicture(at)) return this.startPlace(at);
    this.editor.select(null);
    return false;
  }

  drag(at: Pointing): void {
    const drag = this.dragging;
    if (!drag) return;
    if (drag.kind === "place") this.dragPlace(drag, at);
    else if (drag.kind === "point") this.dragPoint(drag, at);
    else {
      const by = this.meantShift(at, drag.from, drag.path.points, drag.path.id);
      drag.moved = this.kind.move(drag.path, by.x, by.y, this.editor.image);
      this.onPointer(null);
    }
    this.stage.invalidate("top");
  }

  release(at: Pointing): void {
    this.drag(at);
    const drag = this.dragging;
    this.end();
    if (drag?.kind === "place" && !drag.panned) this.place(drag, at);
    else if (drag?.kind === "point") this.settlePoint(drag);
    else if (drag?.kind === "move" && !this.kind.samePlace(drag.moved, drag.path)) this.editor.replaceShape(drag.moved);
    else if (drag?.kind === "move") this.editor.activate(null);
    this.hover(at.coarse ? null : at);
  }

  /** A double click on a line of the selected path inserts a point there. */
  doublePress(at: Pointing): void {
    const selected = this.editor.selected;
    if (this.drewLast || !selected || this.kind.vertexAt(selected, at.image, this.reach(at)) !== null) return;
    const near = nearestSegment(this.kind.line(selected), at.image);
    if (near && near.distance <= this.reach(at)) this.editor.insertPoint(near.segment, near.point);
  }

  cancel(): void {
    this.end();
    this.onPointer(null);
  }

  override drop(): void {
    this.cancel();
    this.editor.abandon();
  }

  /** Ends the path that is being drawn. */
  finish(): void {
    if (this.editor.draft.length === 0) return;
    this.drewLast = true;
    if (!this.editor.finish()) this.onHint(`A ${this.noun} needs at least ${this.kind.least} points.`);
  }

  // For those who draw by keyboard

  /** Puts a point where the keyboard's cursor is; the first in the middle of what is seen. */
  placeAtAim(): void {
    const { view, screen } = this.stage;
    const middle = { x: (screen.width / 2 - view.x) / view.scale, y: (screen.height / 2 - view.y) / view.scale };
    this.aim = this.editor.draft.length === 0 ? middle : (this.aim ?? middle);
    this.extend(this.aim);
  }

  /** Moves the keyboard's cursor, in image pixels. */
  moveAim(dx: number, dy: number): Point | null {
    const from = this.aim ?? this.editor.draft.at(-1);
    if (!from || this.editor.draft.length === 0) return null;
    this.aim = this.kind.fitPoint({ x: from.x + dx, y: from.y + dy }, this.editor.image);
    this.onPointer(toScreen(this.stage.view, this.aim));
    this.stage.invalidate("top");
    return this.aim;
  }

  protected override hoverWork(at: Pointing | null): boolean {
    if (!at || this.mode === "select") {
      this.mark(null);
      return false;
    }
    const { draft } = this.editor;
    const last = draft.at(-1);
    if (last && at.shift && distance(toScreen(this.stage.view, last), at.screen) >= FREEHAND_STEP) this.extend(at.image);
    this.aim = this.kind.single ? null : this.kind.fitPoint(this.meant(at, null), this.editor.image);
    return draft.length > 0;
  }

  protected interrupted(): boolean {
    const drag = this.dragging;
    return drag !== null && drag.kind !== "place" && this.editor.selected?.id !== drag.path.id;
  }

  protected cursor(at: Pointing, under: Path | null): string {
    const selected = this.editor.selected;
    if (this.editor.draft.length === 0 && selected && !(at.shift && this.mode === "draw")) {
      const reach = this.reach(at);
      if (this.kind.vertexAt(selected, at.image, reach) !== null) return "move";
      if (this.middleAt(selected, at.image, reach) !== null) return "copy";
      if (this.touches(selected, at)) return "move";
    }
    if (under) return "move";
    return this.mode === "draw" ? "crosshair" : "grab";
  }

  protected paintWork(context: CanvasRenderingContext2D, surface: Surface): void {
    const drag = this.dragging;
    const { selected } = this.editor;
    if (selected) {
      const path = drag && drag.kind !== "place" ? drag.moved : selected;
      this.paintLifted(context, surface, { ...path, label: selected.label });
      if (drag?.kind !== "move") this.paintHandles(context, surface, path, drag?.kind === "point" ? drag.at : this.editor.activePoint);
    }
    this.paintDraft(context, surface);
  }

  private extend(p: Point): void {
    if (!this.editor.extend(p)) this.onHint(`There is no label yet to give to a ${this.noun}.`);
    this.stage.invalidate("top");
  }

  private startPlace(at: Pointing): true {
    return this.start({ kind: "place", from: at, start: this.meant(at, null), last: at.screen, panned: false });
  }

  private start(drag: Drag): true {
    this.dragging = drag;
    this.hovered = null;
    this.stage.invalidate("top");
    return true;
  }

  private end(): void {
    this.dragging = null;
    this.mark(null);
    this.stage.invalidate("top");
  }

  /** Takes hold of the selected path where the pointer is; false when it is not there. */
  private grip(path: Path, at: Pointing): boolean {
    const reach = this.reach(at);
    const vertex = this.kind.single ? null : this.kind.vertexAt(path, at.image, reach);
    if (vertex !== null && at.alt) {
      this.editor.removePoint(vertex);
      return this.start({ kind: "place", from: at, start: at.image, last: at.screen, panned: true });
    }
    if (vertex !== null) return this.startPoint(path, vertex, false, at);
    const middle = this.middleAt(path, at.image, reach);
    if (middle !== null) {
      const longer = this.kind.withPointAfter(path, middle, middleOf(path, middle));
      if (longer) return this.startPoint(longer, middle + 1, true, at);
    }
    return this.touches(path, at) && this.start({ kind: "move", path, from: at.image, moved: path });
  }

  private startPoint(path: Path, at: number, inserted: boolean, pointing: Pointing): true {
    const p = path.points[at] ?? pointing.image;
    const grip = { x: p.x - pointing.image.x, y: p.y - pointing.image.y };
    return this.start({ kind: "point", path, at, inserted, from: pointing.screen, grip, moved: path });
  }

  private dragPlace(drag: Drag & { kind: "place" }, at: Pointing): void {
    this.onPointer(at.screen);
    if (!drag.panned && !strayed(drag.from.screen, at.screen)) return;
    if (this.kind.most <= 2 && !drag.panned) {
      this.aim = this.kind.single ? at.image : this.meant(at, null);
      return;
    }
    drag.panned = true;
    this.stage.pan(at.screen.x - drag.last.x, at.screen.y - drag.last.y);
    drag.last = at.screen;
  }

  private dragPoint(drag: Drag & { kind: "point" }, at: Pointing): void {
    this.onPointer(at.screen);
    if (drag.moved === drag.path && !strayed(drag.from, at.screen)) return;
    drag.moved = this.kind.withPoint(drag.path, drag.at, this.kind.fitPoint(this.meant(at, drag.path.id, drag.grip), this.editor.image));
  }

  private settlePoint(drag: Drag & { kind: "point" }): void {
    if (drag.moved !== drag.path || drag.inserted) this.editor.replaceShape(drag.moved);
    this.editor.activate(drag.at);
  }

  private place(drag: Drag & { kind: "place" }, at: Pointing): void {
    this.drewLast = true;
    if (this.kind.single) return this.extend(at.image);
    const { draft } = this.editor;
    const slop = at.coarse ? this.reach(at) : CLICK_SLOP / this.stage.view.scale;
    const last = draft.at(-1);
    if (this.closes(at) || (last && distance(last, at.image) < slop)) return this.finish();
    const dragged = strayed(drag.from.screen, at.screen);
    if (dragged && draft.length === 0) this.extend(drag.start);
    this.extend(this.meant(at, null));
    this.mark(null);
  }

  /** A press here closes the polygon. */
  private closes(at: Pointing): boolean {
    const { draft } = this.editor;
    const [first] = draft;
    return this.kind.closed && first !== undefined && draft.length >= this.kind.least && distance(first, at.image) <= this.reach(at);
  }

  private onPicture(at: Pointing): boolean {
    const { width, height } = this.editor.image;
    const reach = this.reach(at);
    return at.image.x >= -reach && at.image.y >= -reach && at.image.x <= width + reach && at.image.y <= height + reach;
  }

  private touches(path: Path, at: Pointing): boolean {
    return this.kind.encloses(path, at.image) || this.kind.distance(path, at.image) <= this.reach(at);
  }

  /** The line of the path whose middle has a handle under p. */
  private middleAt(path: Path, p: Point, reach: number): number | null {
    if (path.points.length >= this.kind.most) return null;
    for (let i = 0; i < segmentCount(this.kind.line(path)); i++) {
      if (this.hasMiddle(path, i) && distance(middleOf(path, i), p) <= reach) return i;
    }
    return null;
  }

  private hasMiddle({ points }: Path, segment: number): boolean {
    const [a, b] = [points[segment], points[(segment + 1) % points.length]];
    return a !== undefined && b !== undefined && distance(a, b) * this.stage.view.scale >= MIDDLE_FROM;
  }

  private paintHandles(context: CanvasRenderingContext2D, surface: Surface, path: Path, active: number | null): void {
    if (this.kind.single) return;
    const { ratio } = surface;
    const colour = this.styleOf(path.label).line;
    if (path.points.length < this.kind.most && !this.dragging) {
      for (let i = 0; i < segmentCount(this.kind.line(path)); i++) {
        if (this.hasMiddle(path, i)) paintDisc(context, devicePoint(surface, middleOf(path, i)), 3.5, "rgb(255 255 255 / 0.75)", HALO, ratio);
      }
    }
    path.points.forEach((p, i) => {
      const at = devicePoint(surface, p);
      if (i === active) paintDisc(context, at, 8, colour, "#ffffff", ratio);
      else paintSquareHandle(context, at, colour, ratio);
    });
  }

  private paintDraft(context: CanvasRenderingContext2D, surface: Surface): void {
    const drag = this.dragging;
    const stretched = drag?.kind === "place" && !drag.panned && this.kind.most <= 2 && this.aim && this.editor.draft.length === 0 ? [drag.start, this.aim] : null;
    const { draft } = this.editor;
    if (draft.length === 0 && !stretched) return;
    const style = this.styleOf(this.editor.labels.active);
    const { ratio } = surface;
    const all = stretched ? (this.kind.single ? stretched.slice(1) : stretched) : this.aim ? [...draft, this.aim] : draft;
    const points = all.map((p) => devicePoint(surface, p));
    context.lineJoin = "round";
    context.beginPath();
    trace(context, points, this.kind.closed);
    if (this.kind.closed) {
      context.fillStyle = style.fill;
      context.fill();
    }
    context.beginPath();
    trace(context, points, false);
    for (const [colour, width] of [[HALO, 4.5], [style.line, 2.5]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.stroke();
    }
    points.forEach((p, i) => {
      const last = i === points.length - 1 && points.length > draft.length;
      const first = i === 0 && this.kind.closed && draft.length >= this.kind.least;
      paintDisc(context, p, first ? 7 : last ? 3 : 4.5, first ? "#ffffff" : style.line, first ? style.line : "#ffffff", ratio);
    });
    this.paintLength(context, surface, all);
  }

  /** The size of what is being drawn, in the picture's pixels. */
  private paintLength(context: CanvasRenderingContext2D, surface: Surface, points: readonly Point[]): void {
    const [a, b] = [points.at(-2), points.at(-1)];
    if (!a || !b) return;
    const box = boundsOf(points.map((p) => devicePoint(surface, p)));
    paintMeasure(context, `${Math.round(distance(a, b))} px`, box.left + box.width, box.top + box.height + 12 * surface.ratio, surface.ratio);
  }
}

function middleOf({ points }: Path, segment: number): Point {
  const [a, b] = [points[segment], points[(segment + 1) % points.length]];
  return a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : { x: 0, y: 0 };
}
