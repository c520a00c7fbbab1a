import type { Rect, Size } from "./geometry.js";
import { Picture } from "./picture.js";
import { fitView, keepInSight, panBy, sameView, visibleRect, zoomAt } from "./view.js";
import type { View } from "./view.js";
import type { Point } from "./geometry.js";

/** Draws shapes. The context is in device pixels. */
export interface Painter {
  paint(context: CanvasRenderingContext2D, surface: Surface): void;
  /** True when there is nothing to draw; then a layer of its own need not exist for the compositor. */
  readonly idle?: boolean;
  /** True when painting takes long; then, while the view moves, what was painted last is moved along. */
  readonly heavy?: boolean;
}

export interface Surface {
  readonly view: View;
  readonly screen: Size;
  /** Device pixels for one CSS pixel. */
  readonly ratio: number;
  /** What the screen shows, in image pixels. */
  readonly window: Rect;
  /** The picture's size in its own pixels. */
  readonly image: Size;
  /** The view is on the move: what is painted now is painted again in full when it stands. */
  readonly moving: boolean;
}

/** The shapes at rest, and what is being worked on. */
export type LayerName = "base" | "top";

interface Layer {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  painter: Painter | null;
  dirty: boolean;
}

/** What the base layer shows was painted for this view, at this time. */
interface Painted {
  readonly view: View;
  readonly time: number;
}

/** A heavy layer is painted again after so many ms of movement, */
const MOVED_FOR = 120;
/** or so many CSS pixels, */
const MOVED_BY = 160;
/** or a change of scale by this factor. */
const ZOOMED_BY = 1.4;

/**
 * A picture that one can zoom and pan, with layers of shapes over it.
 *
 * The picture is an <img> that the compositor scales. Over it lie two canvases
 * the size of the screen: below the shapes at rest, above what is being worked
 * on. Each is repainted only when something on it changed, at most once a frame;
 * while a box is dragged only the upper one is, and a canvas with nothing on it
 * is taken out of sight, because where there is no GPU each costs a copy. With
 * thousands of shapes, the lower one is moved along by the compositor while the
 * view moves, and painted only every so often and at the end.
 */
export class Stage {
  private readonly layers: Record<LayerName, Layer>;
  private readonly observer = new ResizeObserver(() => this.onResize());
  private picture: Picture | null = null;
  private current: View = { scale: 1, x: 0, y: 0 };
  private room: Size = { width: 0, height: 0 };
  private ratio = 1;
  private frame = 0;
  private fitted = true;
  private loading = "";
  private filter = "none";
  private painted: Painted | null = null;
  private moving = false;
  private settling: ReturnType<typeof setTimeout> | undefined;

  /** Called after the view changed: by zoom, pan, fit or a new size of the screen. */
  onView: (view: View) => void = () => {};

  constructor(readonly root: HTMLElement) {
    this.layers = { base: this.addLayer("lower-canvas"), top: this.addLayer("upper-canvas") };
    this.observer.observe(root);
  }

  get view(): View {
    return this.current;
  }

  get screen(): Size {
    return this.room;
  }

  /** The picture's size in its own pixels; 0 by 0 until it is there. */
  get imageSize(): Size {
    return this.picture?.size ?? { width: 0, height: 0 };
  }

  get ready(): boolean {
    return this.picture !== null;
  }

  /** A small <img> of the picture, the same one every time; null without a picture. */
  get thumbnail(): HTMLImageElement | null {
    return this.picture?.thumbnail ?? null;
  }

  /** The <img> of the picture, for those who read its pixels; null without a picture. */
  get image(): HTMLImageElement | null {
    return this.picture?.image ?? null;
  }

  setPainter(name: LayerName, painter: Painter): void {
    this.layers[name].painter = painter;
    this.invalidate(name);
  }

  /** A CSS filter over the picture, not over the shapes; "none" for none. */
  setFilter(filter: string): void {
    this.filter = filter;
    this.picture?.setFilter(filter);
  }

  /** Loads another picture. Settles when it can be drawn; a later call overtakes an earlier one. */
  async load(url: string): Promise<boolean> {
    this.loading = url;
    const picture = await Picture.load(url, this.root);
    if (this.loading !== url) {
      picture.dispose();
      return false;
    }
    this.picture?.dispose();
    this.picture = picture;
    picture.setFilter(this.filter);
    this.measure();
    this.fit();
    picture.show();
    return true;
  }

  setView(view: View): void {
    if (sameView(view, this.current)) return;
    this.current = view;
    this.fitted = false;
    this.moving = this.layers.base.painter?.heavy === true;
    if (!this.moving) this.layers.base.dirty = true;
    this.invalidate("top");
    this.onView(view);
  }

  zoom(factor: number, at: Point = { x: this.room.width / 2, y: this.room.height / 2 }): void {
    if (this.picture) this.setView(zoomAt(this.current, at, factor, this.imageSize, this.room));
  }

  pan(dx: number, dy: number): void {
    if (this.picture) this.setView(panBy(this.current, dx, dy, this.imageSize, this.room));
  }

  fit(): void {
    if (!this.picture) return;
    this.setView(fitView(this.imageSize, this.room));
    this.fitted = true;
    this.invalidate("base", "top");
  }

  invalidate(...names: LayerName[]): void {
    for (const name of names) this.layers[name].dirty = true;
    if (this.frame === 0) this.frame = requestAnimationFrame((time) => this.paint(time));
  }

  /** Paints at once what is due, without waiting for the frame. */
  flush(): void {
    cancelAnimationFrame(this.frame);
    this.paint(performance.now());
  }

  dispose(): void {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    this.picture?.dispose();
    this.picture = null;
    for (const layer of Object.values(this.layers)) layer.canvas.remove();
  }

  private addLayer(className: string): Layer {
    const canvas = document.createElement("canvas");
    canvas.className = className;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser has no 2D canvas.");
    this.root.append(canvas);
    return { canvas, context, painter: null, dirty: true };
  }

  private onResize(): void {
    const before = this.room;
    if (!this.measure() || !this.picture) return;
    if (this.fitted) this.fit();
    else {
      const shift = { x: (this.room.width - before.width) / 2, y: (this.room.height - before.height) / 2 };
      this.setView(keepInSight({ scale: this.current.scale, x: this.current.x + shift.x, y: this.current.y + shift.y }, this.imageSize, this.room));
    }
    // Setting a canvas's size has wiped it: paint before the browser shows it.
    this.flush();
  }

  private measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.root;
    const ratio = Math.min(devicePixelRatio || 1, 3);
    if (width === this.room.width && height === this.room.height && ratio === this.ratio) return false;
    this.room = { width, height };
    this.ratio = ratio;
    for (const layer of Object.values(this.layers)) {
      layer.canvas.width = Math.max(1, Math.round(width * ratio));
      layer.canvas.height = Math.max(1, Math.round(height * ratio));
      layer.dirty = true;
    }
    return true;
  }

  private paint(time: number): void {
    this.frame = 0;
    this.moveAlong(time);
    const surface: Surface = { view: this.current, screen: this.room, ratio: this.ratio, window: visibleRect(this.current, this.room), image: this.imageSize, moving: this.moving };
    this.picture?.place(this.current, this.ratio);
    for (const layer of [this.layers.base, this.layers.top]) if (layer.dirty) this.paintLayer(layer, surface);
  }

  /** Moves what the base layer shows to where the view is now, or has it painted. */
  private moveAlong(time: number): void {
    const { base } = this.layers;
    const view = this.current;
    const from = this.painted;
    if (this.moving) {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), MOVED_FOR);
    }
    if (this.moving && !base.dirty && from && nearby(from, view, time)) {
      const scale = view.scale / from.view.scale;
      base.canvas.style.transform = `translate(${view.x - from.view.x * scale}px, ${view.y - from.view.y * scale}px) scale(${scale})`;
      return;
    }
    base.dirty ||= this.moving;
    if (!base.dirty) return;
    this.painted = { view, time };
    base.canvas.style.transform = "";
  }

  private settle(): void {
    this.moving = false;
    this.invalidate("base");
  }

  private paintLayer(layer: Layer, surface: Surface): void {
    const { canvas, context, painter } = layer;
    layer.dirty = false;
    const idle = !this.picture || painter === null || painter.idle === true;
    canvas.hidden = idle;
    if (idle) return;
    context.clearRect(0, 0, canvas.width, canvas.height);
    painter.paint(context, surface);
  }
}

function nearby({ view: from, time: then }: Painted, view: View, time: number): boolean {
  const scale = view.scale / from.scale;
  if (time - then > MOVED_FOR || scale > ZOOMED_BY || scale < 1 / ZOOMED_BY) return false;
  return scale !== 1 || Math.hypot(view.x - from.x, view.y - from.y) < MOVED_BY;
}
