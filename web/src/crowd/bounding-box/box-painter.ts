import { HANDLES, handlePoint } from "../../kit/geometry.js";
import type { Rect } from "../../kit/geometry.js";
import { HALO, deviceRect, paintMeasure, paintSquareHandle, strokeBox } from "../../kit/paint.js";
import type { Style } from "../../kit/paint.js";
import { RestingPainter } from "../../kit/resting-painter.js";
import type { Surface } from "../../kit/stage.js";
import type { Box } from "./boxes.pure.js";

/** Draws boxes. */
export class BoxPainter extends RestingPainter<Box> {
  paintShape(context: CanvasRenderingContext2D, surface: Surface, box: Box, style: Style, strong: boolean): void {
    const { ratio } = surface;
    const r = deviceRect(surface, box);
    const w = Math.max(1, Math.round(ratio * (strong ? 2.5 : 2)));
    context.fillStyle = strong ? style.strongFill : style.fill;
    context.fillRect(r.left, r.top, r.width, r.height);
    const halo = Math.max(1, Math.round(ratio));
    strokeBox(context, { left: r.left - halo, top: r.top - halo, width: r.width + 2 * halo, height: r.height + 2 * halo }, HALO, halo);
    strokeBox(context, r, style.line, w);
  }

  protected paintPlain(context: CanvasRenderingContext2D, surface: Surface, boxes: readonly Box[], style: Style): void {
    const w = Math.max(1, Math.round(surface.ratio));
    for (const box of boxes) strokeBox(context, deviceRect(surface, box), style.line, w);
  }
}

export function paintHandles(context: CanvasRenderingContext2D, surface: Surface, rect: Rect, colour: string): void {
  const { ratio } = surface;
  const r = deviceRect(surface, rect);
  for (const handle of HANDLES) {
    // Edge handles would cover a small box; its corners are enough.
    if (handle.length === 1 && Math.min(r.width, r.height) < 34 * ratio) continue;
    paintSquareHandle(context, handlePoint(r, handle), colour, ratio);
  }
}

/** The box's size in the picture's pixels, below it. */
export function paintSize(context: CanvasRenderingContext2D, surface: Surface, rect: Rect): void {
  const r = deviceRect(surface, rect);
  paintMeasure(context, `${Math.round(rect.width)} × ${Math.round(rect.height)}`, r.left + r.width, r.top + r.height + 6 * surface.ratio, surface.ratio);
}
