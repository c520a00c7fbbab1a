import { contains, handleAt, handlePoint, inflate, moveWithin, rectFromPoints, resizeTo, snapToImage } from "../../kit/geometry.js";
import type { Handle, Point, Rect } from "../../kit/geometry.js";
import type { Pointing } from "../../kit/gestures.js";
import type { Surface } from "../../kit/stage.js";
import { ShapeTool, strayed } from "../shapes/shape-tool.js";
import { paintHandles, paintSize } from "./box-painter.js";
import { cornersOf } from "./boxes.pure.js";
import type { Box, BoxEditor } from "./boxes.pure.js";

type Drag =
  | { readonly kind: "draw"; readonly from: Point; readonly at: Pointing; rect: Rect | null }
  | { readonly kind: "move"; readonly box: Box; readonly from: Point; rect: Rect }
  | { readonly kind: "resize"; readonly box: Box; readonly handle: Handle; readonly grip: Point; rect: Rect };

/**
 * Drawing and changing boxes with a pointer.
 *
 * Drawing: a drag draws, except on the selected box, which it moves or resizes;
 * with Shift it always draws, so boxes can lie within boxes. A click selects.
 * Selecting: a drag on any box moves it, elsewhere it pans.
 */
export class BoxTool extends ShapeTool<Box, BoxEditor> {
  private dragging: Drag | null = null;

  get busy(): boolean {
    return this.dragging !== null;
  }

  press(at: Pointing): boolean {
    const selected = this.editor.selected;
    const forced = at.shift && this.mode === "draw";
    if (selected && !forced) {
      const handle = handleAt(selected, at.image, this.reach(at));
      if (handle) return this.start({ kind: "resize", box: selected, handle, grip: gripOf(selected, handle, at.image), rect: selected });
      if (contains(inflate(selected, this.reach(at) / 2), at.image)) return this.start({ kind: "move", box: selected, from: at.image, rect: selected });
    }
    if (this.mode === "draw") return this.start({ kind: "draw", from: this.meant(at, null), at, rect: null });
    const box = this.editor.at(at.image, this.reach(at));
    if (!box) {
      this.editor.select(null);
      return false;
    }
    this.editor.select(box.id);
    return this.start({ kind: "move", box, from: at.image, rect: box });
  }

  drag(at: Pointing): void {
    const drag = this.dragging;
    if (!drag) return;
    if (drag.kind === "draw") drag.rect = this.drawn(drag, at);
    else if (drag.kind === "move") drag.rect = this.moved(drag, at);
    else drag.rect = snapToImage(resizeTo(drag.box, drag.handle, this.meant(at, drag.box.id, drag.grip)), this.editor.image);
    this.onPointer(drag.kind === "move" ? null : at.screen);
    this.stage.invalidate("top");
  }

  release(at: Pointing): void {
    this.drag(at);
    const drag = this.dragging;
    this.end();
    if (drag?.kind === "draw") {
      if (!drag.rect) this.click(at);
      else if (!this.editor.add(drag.rect)) this.onHint("There is no label yet to give to a box.");
    } else if (drag) {
      const still = drag.kind === "move" && drag.rect.left === drag.box.left && drag.rect.top === drag.box.top;
      if (still) this.click(at);
      else this.editor.place(drag.box.id, drag.rect);
    }
    // A finger that is lifted points nowhere.
    this.hover(at.coarse ? null : at);
  }

  cancel(): void {
    this.end();
    this.onPointer(null);
  }

  protected override hoverWork(at: Pointing | null): boolean {
    if (at && this.mode === "draw") this.meant(at, null);
    else this.mark(null);
    return false;
  }

  protected interrupted(): boolean {
    return this.dragging !== null && this.dragging.kind !== "draw" && this.editor.selected?.id !== this.dragging.box.id;
  }

  protected paintWork(context: CanvasRenderingContext2D, surface: Surface): void {
    const drag = this.dragging;
    const { selected } = this.editor;
    if (selected) {
      const rect = drag && drag.kind !== "draw" ? drag.rect : selected;
      this.paintLifted(context, surface, { ...selected, ...pick(rect) });
      if (drag?.kind !== "move") paintHandles(context, surface, rect, this.styleOf(selected.label).line);
      if (drag?.kind === "resize") paintSize(context, surface, rect);
    }
    if (drag?.kind !== "draw" || !drag.rect) return;
    this.paintLifted(context, surface, { id: 0, label: this.editor.labels.active, ...pick(drag.rect) });
    paintSize(context, surface, drag.rect);
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

  private moved(drag: Drag & { kind: "move" }, at: Pointing): Rect {
    const by = this.meantShift(at, drag.from, cornersOf(drag.box), drag.box.id);
    return moveWithin(drag.box, Math.round(by.x), Math.round(by.y), this.editor.image);
  }

  private drawn(drag: Drag & { kind: "draw" }, at: Pointing): Rect | null {
    if (!strayed(drag.at.screen, at.screen) && !drag.rect) return null;
    const { width, height } = this.editor.image;
    const rect = rectFromPoints(drag.from, this.meant(at, null));
    // A drag that never touches the picture draws nothing.
    if (rect.left >= width || rect.top >= height || rect.left + rect.width <= 0 || rect.top + rect.height <= 0) return null;
    return snapToImage(rect, this.editor.image);
  }

  private click(at: Pointing): void {
    const box = this.editor.at(at.image, this.reach(at));
    this.editor.select(box?.id ?? null);
  }

  protected cursor(at: Pointing, under: Box | null): string {
    const selected = this.editor.selected;
    if (selected && !(at.shift && this.mode === "draw")) {
      const handle = handleAt(selected, at.image, this.reach(at));
      if (handle) return CURSORS[handle];
      if (contains(selected, at.image)) return "move";
    }
    if (this.mode === "draw") return "crosshair";
    return under ? "move" : "grab";
  }
}

function gripOf(box: Box, handle: Handle, at: Point): Point {
  const middle = handlePoint(box, handle);
  return { x: middle.x - at.x, y: middle.y - at.y };
}

function pick({ left, top, width, height }: Rect): Rect {
  return { left, top, width, height };
}

const CURSORS: Readonly<Record<Handle, string>> = {
  nw: "nwse-resize",
  n: "ns-resize",
  ne: "nesw-resize",
  e: "ew-resize",
  se: "nwse-resize",
  s: "ns-resize",
  sw: "nesw-resize",
  w: "ew-resize",
};
