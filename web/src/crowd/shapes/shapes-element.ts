import { html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import type { Point, Size } from "../../kit/geometry.js";
import type { Labels } from "../../kit/labels.js";
import type { RestingPainter } from "../../kit/resting-painter.js";
import type { Change, ShapeEditor } from "../../kit/shape-editor.js";
import type { Shape } from "../../kit/shape.js";
import type { Stage } from "../../kit/stage.js";
import { reveal } from "../../kit/view.js";
import { Unreadable, looseProperty, loosely } from "../element/crowd-element.js";
import type { Contribution } from "../form/answer.pure.js";
import { ImageTool } from "../image-tool/image-tool.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { gap, toolButton } from "../image-tool/toolbar.js";
import { defineShapeList } from "./shape-list.js";
import type { ShapeTool } from "./shape-tool.js";

/** What the shapes of an element are called. */
export interface Nouns {
  readonly one: string;
  readonly many: string;
  /** The many as a heading. */
  readonly title: string;
  /** How to draw the first one. */
  readonly advice: string;
}

/** What all elements that draw shapes on a picture have in common: editor, answer, list, keys. */
export abstract class ShapesElement<S extends Shape, E extends ShapeEditor<S>> extends ImageTool {
  static override properties: Record<string, PropertyDeclaration> = {
    initialValue: looseProperty("initial-value"),
    mode: { state: true },
    snapping: { state: true },
  };

  declare initialValue: unknown;
  declare protected mode: "draw" | "select";
  declare private snapping: boolean;

  protected abstract readonly nouns: Nouns;
  /** The drawing of the button that draws. */
  protected abstract readonly drawIcon: string;
  protected tool: ShapeTool<S, E> | null = null;
  private resting: RestingPainter<S> | null = null;
  private emptyConfirmed = false;
  /** So that the list hears of labels that changed in place. */
  private version = 0;

  constructor(readonly editor: E) {
    super();
    this.initialValue = undefined;
    this.mode = "draw";
    this.snapping = true;
    editor.listen((change) => this.onEdit(change));
  }

  protected abstract makePainter(): RestingPainter<S>;
  protected abstract makeTool(stage: Stage, resting: RestingPainter<S>): ShapeTool<S, E>;
  /** A shape for those who draw by keyboard. */
  protected abstract addByKey(): void;
  protected abstract removeSelected(): void;
  /** Moves, or with `mod` changes, what is selected. */
  protected abstract nudge(dx: number, dy: number, mod: boolean): void;

  // The answer

  get value(): Record<string, unknown> {
    return this.editor.answer;
  }

  set value(value: unknown) {
    this.editor.restore(value);
  }

  get _submittableValue(): Record<string, unknown> {
    return this.editor.answer;
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.editor.answer }];
  }

  restore(value: unknown): void {
    this.editor.restore(value);
  }

  reset(): void {
    this.tool?.drop();
    this.editor.reset();
    this.message = "";
  }

  override problem(): string {
    const picture = this.pictureProblem();
    if (picture !== "") return picture;
    const { one, many } = this.nouns;
    if (this.unfinished()) return `A ${one} is not finished: press Enter to end it, or Esc to drop it.`;
    if (this.editor.shapes.length > 0 || this.emptyConfirmed) return "";
    return `No ${many} are drawn. If there is nothing to label in this picture, submit once more.`;
  }

  override check(): boolean {
    const ok = super.check();
    // Handing in nothing is a fair answer, but not by a slip: the second try counts.
    if (!ok && this.state === "ready" && !this.unfinished()) this.emptyConfirmed = true;
    return ok;
  }

  protected unfinished(): boolean {
    return false;
  }

  // Life

  get palette(): Labels {
    return this.editor.labels;
  }

  protected get noun(): string {
    return this.nouns.many;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("initialValue") && this.initialValue !== undefined && !(this.initialValue instanceof Unreadable)) {
      this.editor.seedWith(loosely(this.initialValue));
    }
  }

  protected attach(stage: Stage): ShapeTool<S, E> {
    const resting = this.makePainter();
    const tool = this.makeTool(stage, resting);
    tool.onPointer = (at) => this.moveCrosshair(at);
    tool.onHint = (text) => (this.hint = text);
    stage.setPainter("base", resting);
    stage.setPainter("top", tool);
    this.resting = resting;
    this.tool = tool;
    return tool;
  }

  protected pictureReady(size: Size): void {
    this.editor.setImage(size);
  }

  protected override literals(): readonly (readonly [string, unknown])[] {
    return [...super.literals(), ["initial-value", this.initialValue]];
  }

  private onEdit(change: Change): void {
    this.tool?.refresh();
    this.version++;
    this.requestUpdate();
    if (change !== "shapes") return;
    this.hint = "";
    this.emptyConfirmed = false;
    this.changed();
  }

  // Commands, for keys and buttons alike

  protected undo(): void {
    this.editor.undo();
  }

  protected redo(): void {
    this.editor.redo();
  }

  protected get strokes(): Readonly<Record<string, () => void>> {
    return this.shapeStrokes;
  }

  private readonly shapeStrokes: Readonly<Record<string, () => void>> = {
    d: () => this.setMode("draw"),
    b: () => this.setMode("draw"),
    v: () => this.setMode("select"),
    n: () => this.addByKey(),
    s: () => this.setSnapping(!this.snapping),
    t: () => this.toggleNames(),
    "]": () => this.step(1),
    "[": () => this.step(-1),
    escape: () => this.cancel(),
    delete: () => this.removeSelected(),
    backspace: () => this.removeSelected(),
    "shift+delete": () => this.editor.selected && this.editor.remove(this.editor.selected.id),
    "mod+c": () => this.editor.copy(),
    "mod+x": () => this.editor.cut(),
    "mod+v": () => this.editor.paste(this.tool?.pointer ?? null),
    "mod+d": () => this.editor.duplicate(),
  };

  protected get toolShortcuts(): readonly Shortcut[] {
    const { one } = this.nouns;
    return [
      ...this.ownShortcuts,
      ["Arrow keys", `move the selected ${one} by 1 pixel, with Shift by 10`],
      ["Delete", "delete what is selected"],
      ["Ctrl + C, X, V", "copy, cut, paste at the pointer"],
      ["Ctrl + D", "duplicate"],
      ["[ and ]", `previous and next ${one}`],
      ["D or B, V", "draw, select"],
      ["S, hold Ctrl", "snapping on or off; not now"],
      ["T", "show or hide names"],
      ["Esc", "let go"],
    ];
  }

  protected abstract readonly ownShortcuts: readonly Shortcut[];

  protected override onArrow(direction: Point, by: number, mod: boolean): boolean {
    if (!this.editor.selected) return false;
    this.nudge(direction.x * by, direction.y * by, mod);
    return true;
  }

  protected override get crossed(): boolean {
    return this.mode === "draw";
  }

  private setMode(mode: "draw" | "select"): void {
    this.mode = mode;
    if (!this.tool) return;
    this.tool.drop();
    this.tool.mode = mode;
  }

  private setSnapping(on: boolean): void {
    this.snapping = on;
    if (this.tool) this.tool.snapping = on;
  }

  private step(by: 1 | -1): void {
    this.editor.step(by);
    this.revealSelected();
  }

  private cancel(): void {
    if (this.tool?.busy) this.tool.drop();
    else this.editor.select(null);
  }

  private toggleNames(): void {
    if (!this.resting) return;
    this.resting.showNames = !this.resting.showNames;
    this.stage?.invalidate("base");
  }

  protected override useLabel(label: string): void {
    super.useLabel(label);
    const selected = this.editor.selected;
    if (selected) this.editor.relabel(selected.id, label);
  }

  protected countOf(label: string): number {
    return this.editor.countOf(label);
  }

  private revealSelected(): void {
    const shape = this.editor.selected;
    if (shape && this.stage?.ready) this.stage.setView(reveal(this.stage.view, this.editor.kind.bounds(shape), this.stage.imageSize, this.stage.screen));
  }

  // The page

  protected buttons(): TemplateResult {
    const { many, one } = this.nouns;
    return html`
      ${toolButton(this.drawIcon, `Draw ${many} (D)`, () => this.setMode("draw"), { pressed: this.mode === "draw" })}
      ${toolButton("pointer", "Select and move (V)", () => this.setMode("select"), { pressed: this.mode === "select" })}
      ${this.editor.kind.knownLabelsOnly ? nothing : toolButton("snap", "Snap to edges and corners (S)", () => this.setSnapping(!this.snapping), { pressed: this.snapping })} ${gap}
      ${toolButton("undo", "Undo (Ctrl+Z)", () => this.undo(), { disabled: !this.editor.canUndo })} ${toolButton("redo", "Redo (Ctrl+Shift+Z)", () => this.redo(), { disabled: !this.editor.canRedo })}
      ${toolButton("delete", `Delete the selected ${one} (Delete)`, () => this.removeSelected(), { disabled: !this.editor.selected })}
    `;
  }

  protected stageName(): string {
    const { many, one } = this.nouns;
    const selected = this.editor.selected ? ` Selected: ${this.editor.kind.spoken(this.editor.selected)}.` : "";
    return `Picture, ${this.editor.shapes.length} ${many}.${selected} Press N for a new ${one}, question mark for all keys.`;
  }

  protected panel(): TemplateResult {
    const { shapes, selected } = this.editor;
    const { title, advice } = this.nouns;
    return html`
      <section class="shapes" aria-labelledby="shapes-title">
        <h3 id="shapes-title">${title} <span class="total">${shapes.length}</span></h3>
        ${shapes.length === 0 ? html`<p class="quiet">${advice}</p>` : nothing}
        <fiducial-shape-list
          .shapes=${shapes}
          .selected=${selected?.id ?? null}
          .palette=${this.palette}
          .kind=${this.editor.kind}
          .name=${title}
          .version=${this.version}
          .onPick=${(id: number) => this.pick(id)}
          .onRemove=${(id: number) => this.editor.remove(id)}
          ?hidden=${shapes.length === 0}
        ></fiducial-shape-list>
      </section>
    `;
  }

  private pick(id: number): void {
    this.editor.select(id);
    this.revealSelected();
  }
}

export function defineShapeParts(): void {
  defineShapeList();
}
