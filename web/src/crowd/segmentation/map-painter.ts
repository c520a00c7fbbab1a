import type { Rect } from "../../kit/geometry.js";
import type { LabelMap } from "../../kit/label-map.js";
import type { Painter, Surface } from "../../kit/stage.js";
import { sameView } from "../../kit/view.js";
import type { View } from "../../kit/view.js";
import { rgbOf } from "./segments.pure.js";

/** How a value is shown. */
export interface Shade {
  readonly colour: string;
  /** From 0, not at all, to 1. */
  readonly opacity: number;
}

/**
 * Draws a label map by asking, for each pixel of the screen, what lies under it:
 * the cost is that of the screen, however large the picture. After a stroke only
 * the part of the screen that it touched is asked again.
 */
export class MapPainter implements Painter {
  map: LabelMap | null = null;
  private buffer: ImageData | null = null;
  private view: View | null = null;
  private stale: Rect | null = null;
  private fills = new Uint32Array(1);
  private edges = new Uint32Array(1);

  get idle(): boolean {
    return this.map === null || this.map.countOf(0) === this.map.data.length;
  }

  /** The n-th shade is that of the value n + 1. */
  setShades(shades: readonly Shade[]): void {
    this.fills = new Uint32Array(shades.length + 1);
    this.edges = new Uint32Array(shades.length + 1);
    shades.forEach(({ colour, opacity }, i) => {
      const [r, g, b] = rgbOf(colour);
      const bgr = (b << 16) | (g << 8) | r;
      this.fills[i + 1] = bgr | (Math.round(opacity * 255) << 24);
      this.edges[i + 1] = bgr | (Math.round(Math.min(1, opacity * 1.8) * 255) << 24);
    });
    this.forget();
  }

  /** A part of the map, in image pixels, has changed. */
  touch(part: Rect): void {
    const old = this.stale;
    if (!old) this.stale = part;
    else {
      const [left, top] = [Math.min(old.left, part.left), Math.min(old.top, part.top)];
      this.stale = { left, top, width: Math.max(old.left + old.width, part.left + part.width) - left, height: Math.max(old.top + old.height, part.top + part.height) - top };
    }
  }

  /** Everything is to be drawn anew. */
  forget(): void {
    this.view = null;
  }

  paint(context: CanvasRenderingContext2D, surface: Surface): void {
    const { width, height } = context.canvas;
    if (this.buffer?.width !== width || this.buffer.height !== height) {
      this.buffer = context.createImageData(width, height);
      this.view = null;
    }
    if (this.view === null || !sameView(this.view, surface.view)) this.sample(this.buffer, surface, { left: 0, top: 0, width, height });
    else if (this.stale) this.sample(this.buffer, surface, this.onScreen(this.stale, surface, width, height));
    this.view = surface.view;
    this.stale = null;
    context.putImageData(this.buffer, 0, 0);
  }

  /** A part of the map in device pixels, with a pixel's margin for its edges. */
  private onScreen(part: Rect, { view, ratio }: Surface, width: number, height: number): Rect {
    const scale = view.scale * ratio;
    const left = Math.max(0, Math.floor(part.left * scale + view.x * ratio) - 1);
    const top = Math.max(0, Math.floor(part.top * scale + view.y * ratio) - 1);
    const right = Math.min(width, Math.ceil((part.left + part.width) * scale + view.x * ratio) + 2);
    const bottom = Math.min(height, Math.ceil((part.top + part.height) * scale + view.y * ratio) + 2);
    return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  }

  private sample(buffer: ImageData, { view, ratio }: Surface, part: Rect): void {
    const { map, fills, edges } = this;
    if (!map) return;
    const { data, size } = map;
    const out = new Uint32Array(buffer.data.buffer);
    const scale = view.scale * ratio;
    const place = (device: number, offset: number, limit: number): number => {
      const at = Math.floor((device + 0.5 - offset * ratio) / scale);
      return at >= 0 && at < limit ? at : -1;
    };
    const columns = Int32Array.from({ length: part.width + 1 }, (_, i) => place(part.left + i - 1, view.x, size.width));
    const above = new Uint16Array(part.width + 1);
    for (let y = part.top - 1; y < part.top + part.height; y++) {
      const row = place(y, view.y, size.height);
      let left = 0;
      for (let i = 0; i <= part.width; i++) {
        const column = columns[i] as number;
        const value = row < 0 || column < 0 ? 0 : (data[row * size.width + column] as number);
        // The first row and column are only there to be compared with.
        if (i > 0 && y >= part.top) {
          const up = above[i] as number;
          const differs = value !== left ? left : up;
          out[y * buffer.width + part.left + i - 1] = differs === value ? (fills[value] as number) : ((edges[value] as number) || (edges[differs] as number));
        }
        above[i] = value;
        left = value;
      }
    }
  }
}
