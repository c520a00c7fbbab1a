import type { Point } from "../../kit/geometry.js";
import type { Pointing, Tool } from "../../kit/gestures.js";
import type { LabelMap, Over } from "../../kit/label-map.js";
import { fillArea, paintPolygon, paintStroke } from "../../kit/label-shapes.js";
import type { Painter, Stage, Surface } from "../../kit/stage.js";
import { toScreen } from "../../kit/view.js";
import type { PixelTools } from "./pixel-tools.js";

export type Mode = "brush" | "eraser" | "polygon" | "fill" | "wand" | "patches" | "outline";

/** What the tool paints into, and with. */
export interface Canvas {
  readonly map: LabelMap | null;
  /** The value to paint with; 0 when there is no label to give. */
  take(): number;
  readonly colour: string;
  readonly over: Over;
}

/** How near one must come to the first corner to close an outline, in CSS pixels. */
const CLOSE = 9;
/** A pointer that draws an outline leaves a corner every so many CSS pixels. */
const CORNER_STEP = 6;
export const OUTERMOST_POINTS = 4;

/** Painting segments with a pointer, or with the keyboard's own pointer. */
export class PaintTool implements Tool, Painter {
  private chosen: Mode = "brush";
  /** The diameter of brush and eraser, in the picture's pixels. */
  size = 20;
  private points: Point[] = [];
  private last: Point | null = null;
  /** Corners that the press at hand has left so far. */
  private left = 0;
  private pointer: Pointing | null = null;
  private value = 0;

  /** A step is done, or given up. */
  onStep: () => void = () => {};
  /** There is nothing to paint with. */
  onNoLabel: () => void = () => {};
  /** The corners or outermost points set so far have changed. */
  onPoints: () => void = () => {};

  constructor(
    private readonly stage: Stage,
    private readonly canvas: Canvas,
    private readonly pixels: PixelTools,
  ) {}

  get mode(): Mode {
    return this.chosen;
  }

  set mode(mode: Mode) {
    this.cancel();
    this.chosen = mode;
    this.refresh();
  }

  /** How many corners or points wait for the rest. */
  get begun(): number {
    return this.points.length;
  }

  /** Whether the last corner was set here. */
  endsAt({ x, y }: Point): boolean {
    const last = this.points.at(-1);
    return last?.x === x && last.y === y;
  }

  get idle(): boolean {
    return this.pointer === null && this.points.length === 0;
  }

  press(at: Pointing): boolean {
    const { map } = this.canvas;
    if (!map) return false;
    // With Alt every tool erases.
    const erases = at.alt || this.mode === "eraser";
    this.value = erases ? 0 : this.canvas.take();
    if (this.value === 0 && !erases) {
      this.onNoLabel();
      return true;
    }
    this.last = at.image;
    this.left = 0;
    if (this.mode === "brush" || this.mode === "eraser") this.stroke(at.image);
    else if (this.mode === "patches") this.pixels.paintPatches(at.image, at.image, this.value, this.over);
    else if (this.mode === "polygon" && this.closes(at)) this.last = null;
    else if (this.mode === "polygon") this.addPoint(at.image);
    if (this.mode === "polygon" && this.last === null) this.finish();
    return true;
  }

  drag(at: Pointing): void {
    this.pointer = at;
    if (this.last === null) return this.refresh();
    if (this.mode === "brush" || this.mode === "eraser") this.stroke(at.image);
    else if (this.mode === "patches") this.pixels.paintPatches(this.last, at.image, this.value, this.over);
    else if (this.mode === "polygon" && this.apart(at, this.last) > CORNER_STEP) this.addPoint(at.image);
    if (this.mode !== "polygon") this.last = at.image;
    this.refresh();
  }

  release(at: Pointing): void {
    const { map } = this.canvas;
    const drawn = this.last !== null && this.left > 2;
    if (map && this.last !== null) {
      if (this.mode === "fill") fillArea(map, at.image, this.value);
      else if (this.mode === "wand") this.pixels.paintAlike(at.image, this.value, this.over);
      else if (this.mode === "outline") this.addOutermost(at.image);
    }
    this.last = null;
    if (map?.commit()) this.onStep();
    // An outline that was drawn and not clicked is closed where the pointer is lifted, near its beginning.
    if (drawn && this.closes(at)) this.finish();
    this.hover(at.coarse ? null : at);
  }

  cancel(): void {
    if (this.last !== null) this.canvas.map?.abandon();
    this.last = null;
    this.points = [];
    this.onPoints();
    this.refresh();
  }

  hover(at: Pointing | null): void {
    this.pointer = at;
    if (at && this.mode === "patches") this.pixels.look(at.image);
    this.stage.root.style.cursor = this.mode === "brush" || this.mode === "eraser" ? "none" : "crosshair";
    this.refresh();
  }

  doublePress(): void {
    if (this.mode === "polygon") this.finish();
  }

  /** Takes back the last corner or point; false when there is none. */
  back(): boolean {
    if (this.points.length === 0) return false;
    this.points.pop();
    this.onPoints();
    this.refresh();
    return true;
  }

  /** Ends an outline; false when there is none that could be ended. */
  finish(): boolean {
    const { map } = this.canvas;
    if (!map || this.mode !== "polygon" || this.points.length < 3) return false;
    paintPolygon(map, this.points, this.value, this.over);
    map.commit();
    this.points = [];
    this.last = null;
    this.onPoints();
    this.onStep();
    this.refresh();
    return true;
  }

  private get over(): Over {
    return this.value === 0 ? "all" : this.canvas.over;
  }

  private refresh(): void {
    this.stage.invalidate("top");
  }

  private stroke(to: Point): void {
    if (this.canvas.map) paintStroke(this.canvas.map, this.last ?? to, to, this.size / 2, this.value, this.over);
  }

  private addPoint(at: Point): void {
    const { width, height } = this.stage.imageSize;
    this.points.push({ x: Math.min(width, Math.max(0, at.x)), y: Math.min(height, Math.max(0, at.y)) });
    this.last = at;
    this.left++;
    this.onPoints();
  }

  private addOutermost(at: Point): void {
    this.addPoint(at);
    this.last = null;
    if (this.points.length < OUTERMOST_POINTS) return;
    const points = this.points;
    this.points = [];
    this.onPoints();
    void this.pixels.cutOut(points, this.value, this.over);
  }

  private apart(at: Pointing, from: Point): number {
    const there = toScreen(this.stage.view, from);
    return Math.hypot(there.x - at.screen.x, there.y - at.screen.y);
  }

  private closes(at: Pointing): boolean {
    const first = this.points[0];
    return first !== undefined && this.points.length > 2 && this.apart(at, first) <= (at.coarse ? 2 * CLOSE : CLOSE);
  }

  // What is drawn over the segments

  paint(context: CanvasRenderingContext2D, surface: Surface): void {
    const { ratio } = surface;
    context.save();
    context.scale(ratio, ratio);
    if (this.mode === "patches") this.pixels.paintBorders(context, surface);
    const corners = this.points.map((p) => toScreen(surface.view, p));
    if (this.mode === "polygon") this.paintOutline(context, corners);
    for (const corner of corners) dot(context, corner, this.canvas.colour);
    if (this.pointer) this.paintPointer(context, surface, this.pointer);
    context.restore();
  }

  private paintOutline(context: CanvasRenderingContext2D, corners: readonly Point[]): void {
    const [first, ...rest] = this.pointer ? [...corners, this.pointer.screen] : corners;
    if (!first || corners.length === 0) return;
    context.beginPath();
    context.moveTo(first.x, first.y);
    for (const { x, y } of rest) context.lineTo(x, y);
    twice(context, this.canvas.colour);
    if (this.pointer && this.closes(this.pointer)) dot(context, first, "#ffffff", 8);
  }

  private paintPointer(context: CanvasRenderingContext2D, { view }: Surface, at: Pointing): void {
    const { x, y } = toScreen(view, at.image);
    if (this.mode === "brush" || this.mode === "eraser") {
      context.beginPath();
      context.arc(x, y, Math.max(1.5, (this.size / 2) * view.scale), 0, 2 * Math.PI);
      twice(context, this.mode === "eraser" || at.alt ? "#ffffff" : this.canvas.colour);
      return;
    }
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
    twice(context, "#ffffff");
  }
}

/** A line that is seen on light and dark. */
function twice(context: CanvasRenderingContext2D, colour: string): void {
  context.lineWidth = 3.5;
  context.strokeStyle = "rgb(0 0 0 / 0.65)";
  context.stroke();
  context.lineWidth = 1.75;
  context.strokeStyle = colour;
  context.stroke();
}

function dot(context: CanvasRenderingContext2D, { x, y }: Point, colour: string, radius = 4): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  twice(context, "#ffffff");
}
