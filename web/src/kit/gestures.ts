import type { Point } from "./geometry.js";
import type { Stage } from "./stage.js";
import { toImage } from "./view.js";

/** A pointer over the stage. */
export interface Pointing {
  /** In image pixels, fractions and places outside the picture included. */
  readonly image: Point;
  /** In CSS pixels from the stage's corner. */
  readonly screen: Point;
  readonly shift: boolean;
  readonly alt: boolean;
  readonly mod: boolean;
  /** A finger needs larger handles than a mouse. */
  readonly coarse: boolean;
}

/** What a drag on the stage does, when it is not a pan or a pinch. */
export interface Tool {
  /** False when the tool has no use for the press; then the drag pans. */
  press(at: Pointing): boolean;
  drag(at: Pointing): void;
  release(at: Pointing): void;
  /** The press became something else, such as a pinch. */
  cancel(): void;
  /** The pointer moves without a button, or has left (null). */
  hover(at: Pointing | null): void;
  doublePress?(at: Pointing): void;
}

type Mode = "idle" | "tool" | "pan" | "pinch";

const WHEEL_STEP = 0.0016;

/**
 * Tells pans, pinches and the tool's own drags apart. Wheel: zoom to the
 * pointer; middle button, held space bar, two fingers: pan and zoom.
 */
export class Gestures {
  private readonly down = new Map<number, Point>();
  private readonly abort = new AbortController();
  private mode: Mode = "idle";
  private last: Point = { x: 0, y: 0 };
  private spaceHeld = false;

  constructor(
    private readonly stage: Stage,
    private readonly tool: Tool,
  ) {
    const target = stage.root;
    const { signal } = this.abort;
    target.addEventListener("pointerdown", (e) => this.onDown(e), { signal });
    target.addEventListener("pointermove", (e) => this.onMove(e), { signal });
    target.addEventListener("pointerup", (e) => this.onUp(e), { signal });
    target.addEventListener("pointercancel", (e) => this.onCancel(e), { signal });
    target.addEventListener("pointerleave", () => this.mode === "idle" && this.tool.hover(null), { signal });
    target.addEventListener("wheel", (e) => this.onWheel(e), { signal, passive: false });
    target.addEventListener("dblclick", (e) => this.tool.doublePress?.(this.pointing(e)), { signal });
    target.addEventListener("contextmenu", (e) => e.preventDefault(), { signal });
    // Without this a middle press starts the browser's own scrolling.
    target.addEventListener("mousedown", (e) => e.button === 1 && e.preventDefault(), { signal });
  }

  /** The space bar is held: a drag pans. */
  set space(held: boolean) {
    this.spaceHeld = held;
    this.stage.root.classList.toggle("grab", held);
  }

  get busy(): boolean {
    return this.mode !== "idle";
  }

  dispose(): void {
    this.abort.abort();
  }

  private onDown(event: PointerEvent): void {
    if (!this.stage.ready) return;
    const at = this.pointing(event);
    this.stage.root.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, at.screen);
    if (this.down.size === 2) {
      if (this.mode === "tool") this.tool.cancel();
      this.mode = "pinch";
      return;
    }
    if (this.down.size > 2 || this.mode !== "idle") return;
    this.last = at.screen;
    const pans = event.button === 1 || this.spaceHeld;
    if (!pans && event.button !== 0) return;
    this.mode = !pans && this.tool.press(at) ? "tool" : "pan";
    this.stage.root.classList.toggle("grabbing", this.mode === "pan");
  }

  private onMove(event: PointerEvent): void {
    const at = this.pointing(event);
    if (this.mode === "pinch") this.pinch(event.pointerId, at.screen);
    else if (this.mode === "pan") {
      this.stage.pan(at.screen.x - this.last.x, at.screen.y - this.last.y);
      this.last = at.screen;
    } else if (this.mode === "tool") this.tool.drag(at);
    else this.tool.hover(at);
    if (this.down.has(event.pointerId)) this.down.set(event.pointerId, at.screen);
  }

  private onUp(event: PointerEvent): void {
    if (!this.down.delete(event.pointerId)) return;
    if (this.down.size > 0) return;
    if (this.mode === "tool") this.tool.release(this.pointing(event));
    this.end();
  }

  private onCancel(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    if (this.down.size > 0) return;
    if (this.mode === "tool") this.tool.cancel();
    this.end();
  }

  private end(): void {
    this.mode = "idle";
    this.stage.root.classList.remove("grabbing");
  }

  private pinch(id: number, to: Point): void {
    const from = this.down.get(id);
    const other = [...this.down].find(([key]) => key !== id)?.[1];
    if (!from || !other) return;
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(to.x - other.x, to.y - other.y);
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
    this.stage.pan(middle.x - (from.x + other.x) / 2, middle.y - (from.y + other.y) / 2);
    if (before > 0) this.stage.zoom(after / before, middle);
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    if (event.shiftKey) {
      this.stage.pan(-(event.deltaX || event.deltaY) * unit, 0);
      return;
    }
    // A pinch on a touchpad comes as a wheel with Ctrl and small steps.
    const speed = event.ctrlKey ? 6 : 1;
    this.stage.zoom(Math.exp(-event.deltaY * unit * WHEEL_STEP * speed), this.pointing(event).screen);
    if (this.mode === "idle") this.tool.hover(this.pointing(event));
  }

  private pointing(event: MouseEvent): Pointing {
    const box = this.stage.root.getBoundingClientRect();
    const screen = { x: event.clientX - box.left, y: event.clientY - box.top };
    const coarse = event instanceof PointerEvent && event.pointerType === "touch";
    return { image: toImage(this.stage.view, screen), screen, shift: event.shiftKey, alt: event.altKey, mod: event.ctrlKey || event.metaKey, coarse };
  }
}
