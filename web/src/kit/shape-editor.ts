import { inflate } from "./geometry.js";
import type { Point, Rect, Size } from "./geometry.js";
import { ListHistory } from "./history.js";
import { Labels } from "./labels.js";
import { isRecord } from "./record.js";
import type { Shape, ShapeKind } from "./shape.js";
import { snapTo } from "./snap.js";
import type { Snap } from "./snap.js";
import { SpatialIndex } from "./spatial-index.js";

/**
 * What changed, so that listeners redo only what they must: "shapes" by an edit;
 * "replaced" when all came anew, by a template, a draft or the picture's size.
 */
export type Change = "shapes" | "replaced" | "selection" | "labels";

/**
 * The drawing of a task: shapes of one kind with undo and redo, the selected
 * one, and the clipboard. Knows nothing of screens.
 */
export class ShapeEditor<S extends Shape> {
  readonly labels = new Labels();
  private readonly history = new ListHistory<S>();
  private readonly index = new SpatialIndex<S>();
  private readonly indexed = new Map<number, S>();
  private readonly listeners: ((change: Change) => void)[] = [];
  private nextId = 1;
  private size: Size = { width: 0, height: 0 };
  private picked: number | null = null;
  private seed: readonly S[] | null = null;
  private copied: S | null = null;

  constructor(readonly kind: ShapeKind<S>) {
    this.labels.onChange = () => this.onLabels();
  }

  listen(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  get all(): readonly S[] {
    return this.history.state;
  }

  /** The shapes that count: all, or for some kinds those with a known label. */
  get shapes(): readonly S[] {
    return this.kind.knownLabelsOnly ? this.all.filter((shape) => this.labels.has(shape.label)) : this.all;
  }

  get image(): Size {
    return this.size;
  }

  get selected(): S | null {
    return this.picked === null ? null : (this.indexed.get(this.picked) ?? null);
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  get canPaste(): boolean {
    return this.copied !== null;
  }

  find(id: number): S | null {
    return this.indexed.get(id) ?? null;
  }

  /** The size of the picture in its own pixels; shapes that came before it are now cut to it. */
  setImage(size: Size): void {
    this.size = size;
    this.seed = this.seed && this.fitted(this.seed);
    this.history.reset(this.fitted(this.all));
    this.reindex();
    this.tell("replaced");
  }

  /** The shapes the template came with. Edits are told apart from them. */
  seedWith(value: unknown): void {
    this.seed = this.fitted(this.read(value));
    this.replace(this.seed);
  }

  /** An earlier answer, such as a draft. It is no edit: it cannot be undone into nothing. */
  restore(value: unknown): void {
    this.replace(this.fitted(this.read(value)));
  }

  reset(): void {
    this.replace(this.seed ?? []);
  }

  /** The answer, its keys in their documented order. */
  get answer(): Record<string, unknown> {
    const { kind } = this;
    const shapes = { [kind.member]: this.shapes.map((shape) => kind.write(shape)) };
    const size = { inputImageProperties: { height: this.size.height, width: this.size.width } };
    const answer = kind.shapesFirst ? { ...shapes, ...size } : { ...size, ...shapes };
    return this.seed === null || !kind.tellsModified ? answer : { ...answer, initialValueModified: this.differs(this.all, this.seed) };
  }

  /** Puts a new shape into the drawing and selects it; null when there is no label to give. */
  insert(make: (id: number, label: string) => S, label = this.labels.active): S | null {
    if (label === "") return null;
    const shape = this.kind.fit(make(this.nextId++, label), this.size);
    this.commit([...this.all, shape]);
    this.select(shape.id);
    return shape;
  }

  /** Sets a shape's place. Calls with the same `merge` in a row are undone at once. */
  replaceShape(shape: S, merge = ""): void {
    this.update(shape.id, () => this.kind.fit(shape, this.size), merge);
  }

  relabel(id: number, label: string): void {
    if (this.labels.has(label)) this.update(id, (shape) => ({ ...shape, label }));
  }

  nudge(id: number, dx: number, dy: number): void {
    this.update(id, (shape) => this.kind.move(shape, dx, dy, this.size), `nudge ${id}`);
  }

  copy(): void {
    this.copied = this.selected ?? this.copied;
  }

  cut(): void {
    if (!this.selected) return;
    this.copy();
    this.remove(this.selected.id);
  }

  /** A copy of what was copied: around a place of the picture, or beside where it was. */
  paste(at: Point | null = null): void {
    const { copied } = this;
    if (!copied) return;
    const box = this.kind.bounds(copied);
    const [dx, dy] = at ? [Math.round(at.x - box.left - box.width / 2), Math.round(at.y - box.top - box.height / 2)] : [Math.min(12, box.width || 12), Math.min(12, box.height || 12)];
    const pasted = this.insert((id) => ({ ...this.kind.move(copied, dx, dy, this.size), id }), copied.label);
    // Pasting again and again makes a row, not a pile.
    if (pasted && !at) this.copied = pasted;
  }

  /** A copy beside the original, selected. */
  duplicate(): void {
    const kept = this.copied;
    this.copy();
    this.paste();
    this.copied = kept;
  }

  remove(id: number): void {
    if (!this.indexed.has(id)) return;
    this.commit(this.all.filter((shape) => shape.id !== id));
    this.select(null);
  }

  clear(): void {
    if (this.all.length > 0) this.commit([]);
    this.select(null);
  }

  select(id: number | null): void {
    if (id === this.picked) return;
    this.history.settle();
    this.picked = id;
    this.tell("selection");
  }

  /** Selects the next or previous visible shape in the order of the list. */
  step(by: 1 | -1): void {
    const shown = this.shapes.filter((shape) => !this.labels.isHidden(shape.label));
    if (shown.length === 0) return;
    const at = shown.findIndex((shape) => shape.id === this.picked);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length;
    this.select(shown[next]?.id ?? null);
  }

  undo(): boolean {
    const done = this.history.undo();
    if (done) this.afterTravel();
    return done;
  }

  redo(): boolean {
    const done = this.history.redo();
    if (done) this.afterTravel();
    return done;
  }

  /** Visible shapes that meet the window. */
  within(window: Rect): S[] {
    const found = this.index.query(inflate(window, 1));
    const { labels } = this;
    if (!labels.someHidden && !this.kind.knownLabelsOnly) return found;
    return found.filter((shape) => !labels.isHidden(shape.label) && (!this.kind.knownLabelsOnly || labels.has(shape.label)));
  }

  /** The shape one means by pointing there: the nearest line within reach, otherwise the smallest shape around the point. */
  at(p: Point, reach: number): S | null {
    let best: S | null = null;
    let bestRank = Infinity;
    for (const shape of this.within(around(p, reach))) {
      const far = this.kind.distance(shape, p);
      // A line outranks every inside; among insides the smaller shape wins.
      const rank = far <= reach ? far - reach : this.kind.encloses(shape, p) ? this.kind.area(shape) : Infinity;
      if (rank < bestRank) {
        best = shape;
        bestRank = rank;
      }
    }
    return best;
  }

  /** Where p is drawn to by vertices and edges of other shapes and by the picture's border. */
  snap(p: Point, reach: number, except: number | null = null): Snap | null {
    const outlines = this.within(around(p, reach)).flatMap((shape) => (shape.id === except ? [] : (this.kind.outline(shape) ?? [])));
    return snapTo(p, outlines, this.size, reach);
  }

  countOf(label: string): number {
    let count = 0;
    for (const shape of this.all) if (shape.label === label) count++;
    return count;
  }

  protected update(id: number, edit: (shape: S) => S, merge = ""): void {
    const old = this.indexed.get(id);
    if (!old) return;
    const next = edit(old);
    if (this.differs([next], [old])) this.commit(this.all.map((shape) => (shape.id === id ? next : shape)), merge);
  }

  protected tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  private onLabels(): void {
    if (this.selected && this.labels.isHidden(this.selected.label)) this.select(null);
    this.tell("labels");
  }

  private commit(shapes: readonly S[], merge = ""): void {
    this.history.push(shapes, merge);
    this.reindex();
    this.tell("shapes");
  }

  /** An array of shapes, or an answer object that holds one. What is no shape is left out. */
  private read(value: unknown): S[] {
    const list = isRecord(value) ? (value[this.kind.member] ?? value.value) : value;
    const shapes: S[] = [];
    for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
      const shape = isRecord(entry) ? this.kind.read(entry, this.nextId + shapes.length, this.labels.names[0] ?? "") : null;
      if (shape) shapes.push(shape);
    }
    return shapes;
  }

  /** Until the picture's size is known shapes stay as they came. */
  private fitted(shapes: readonly S[]): readonly S[] {
    return this.size.width === 0 || this.size.height === 0 ? shapes : shapes.map((shape) => this.kind.fit(shape, this.size));
  }

  /** Whether two drawings would give different answers. */
  private differs(a: readonly S[], b: readonly S[]): boolean {
    return a.length !== b.length || a.some((shape, i) => b[i] === undefined || shape.label !== b[i].label || !this.kind.samePlace(shape, b[i]));
  }

  private replace(shapes: readonly S[]): void {
    for (const { id } of shapes) this.nextId = Math.max(this.nextId, id + 1);
    this.history.reset(shapes);
    this.picked = null;
    this.reindex();
    this.tell("replaced");
  }

  private afterTravel(): void {
    this.reindex();
    if (this.picked !== null && !this.indexed.has(this.picked)) this.picked = null;
    this.tell("shapes");
  }

  /** Brings the index up to the state; shapes that did not change are not touched. */
  private reindex(): void {
    const gone = new Set(this.indexed.keys());
    for (const shape of this.all) {
      gone.delete(shape.id);
      const old = this.indexed.get(shape.id);
      if (old === shape) continue;
      if (old) this.index.delete(old);
      this.index.set(shape, this.kind.bounds(shape));
      this.indexed.set(shape.id, shape);
    }
    for (const id of gone) {
      const old = this.indexed.get(id);
      if (old) this.index.delete(old);
      this.indexed.delete(id);
    }
  }
}

function around(p: Point, reach: number): Rect {
  return { left: p.x - reach, top: p.y - reach, width: 2 * reach, height: 2 * reach };
}
