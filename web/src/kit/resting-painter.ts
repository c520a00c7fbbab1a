import type { Rect } from "./geometry.js";
import type { Labels } from "./labels.js";
import { deviceRect, paintName, styleOf } from "./paint.js";
import type { Style } from "./paint.js";
import type { Shape, ShapeKind } from "./shape.js";
import type { Painter, Surface } from "./stage.js";

/** Above this many shapes in sight they are drawn as bare lines: no fill, halo or name. */
const PLAIN_ABOVE = 250;
const NAMES_ABOVE = 90;
/** While the view moves, shapes with more corners than this are drawn as bare lines, too. */
const MOVING_PLAIN_ABOVE = 1000;

export interface ShapeSource<S extends Shape> {
  readonly labels: Labels;
  readonly all: readonly S[];
  readonly kind: ShapeKind<S>;
  within(window: Rect): readonly S[];
}

/** Draws the shapes at rest; the one being worked on belongs to the top layer. */
export abstract class RestingPainter<S extends Shape> implements Painter {
  /** The shape that the top layer draws. */
  lifted: number | null = null;
  showNames = true;

  constructor(protected readonly source: ShapeSource<S>) {}

  get idle(): boolean {
    return this.source.all.length === 0;
  }

  /** By all shapes there are, not by those in sight: zooming out must not begin with a jolt. */
  get heavy(): boolean {
    return this.pointsOf(this.source.all) > MOVING_PLAIN_ABOVE;
  }

  /** How many corners the shapes have. */
  protected pointsOf(shapes: readonly S[]): number {
    return 4 * shapes.length;
  }

  paint(context: CanvasRenderingContext2D, surface: Surface): void {
    const { labels } = this.source;
    const shapes = this.source.within(surface.window).filter((shape) => shape.id !== this.lifted);
    const plain = shapes.length > PLAIN_ABOVE || (surface.moving && this.pointsOf(shapes) > MOVING_PLAIN_ABOVE);
    if (plain) this.paintMany(context, surface, shapes);
    else {
      for (const shape of shapes) {
        context.globalAlpha = labels.opacityOf(shape.label);
        this.paintShape(context, surface, shape, styleOf(labels.colourOf(shape.label)), false);
      }
    }
    context.globalAlpha = 1;
    if (!this.showNames || plain || shapes.length > NAMES_ABOVE) return;
    for (const shape of shapes) this.paintNameOf(context, surface, shape, shape.label);
  }

  /** A shape in full; `strong` for the one being worked on. */
  abstract paintShape(context: CanvasRenderingContext2D, surface: Surface, shape: S, style: Style, strong: boolean): void;

  /** Only the lines of many shapes of one colour. */
  protected abstract paintPlain(context: CanvasRenderingContext2D, surface: Surface, shapes: readonly S[], style: Style): void;

  paintNameOf(context: CanvasRenderingContext2D, surface: Surface, shape: S, label: string): void {
    const r = this.nameRect(deviceRect(surface, this.source.kind.bounds(shape)), surface.ratio);
    if (this.nameFits(r, surface.ratio)) paintName(context, r, label, styleOf(this.source.labels.colourOf(label)), surface.ratio);
  }

  /** The rectangle at whose upper left corner the name stands. */
  protected nameRect(r: Rect, _ratio: number): Rect {
    return r;
  }

  protected nameFits(r: Rect, ratio: number): boolean {
    return r.width >= 24 * ratio && r.height >= 12 * ratio;
  }

  private paintMany(context: CanvasRenderingContext2D, surface: Surface, shapes: readonly S[]): void {
    const { labels } = this.source;
    const groups = new Map<string, S[]>();
    for (const shape of shapes) {
      const group = groups.get(shape.label);
      if (group) group.push(shape);
      else groups.set(shape.label, [shape]);
    }
    for (const [label, group] of groups) {
      context.globalAlpha = labels.opacityOf(label);
      this.paintPlain(context, surface, group, styleOf(labels.colourOf(label)));
    }
  }
}
