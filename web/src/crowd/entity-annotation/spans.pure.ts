import { labelColour } from "../../kit/colours.js";
import { History } from "../../kit/history.js";
import { isRecord } from "../../kit/record.js";
import { CodePoints } from "./offsets.pure.js";

export interface Label {
  readonly label: string;
  readonly short: string;
  readonly full: string;
  readonly colour: string;
}

/** One labelled stretch of the text, in UTF-16 units, its end exclusive. */
export interface Span {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** One entity as Ground Truth writes it, down to the order of its keys. */
export interface Entity {
  readonly endOffset: number;
  readonly label: string;
  readonly startOffset: number;
}

export interface EntityAnswer {
  readonly entities: readonly Entity[];
}

/** Labels from strings or from objects with `label` and names to show. */
export function readLabels(value: unknown): readonly Label[] {
  const labels: Label[] = [];
  for (const entry of Array.isArray(value) ? (value as unknown[]) : []) {
    const given = isRecord(entry) ? entry : { label: entry };
    const label = text(given.label);
    if (label === "" || labels.some((other) => other.label === label)) continue;
    const full = text(given.fullDisplayName) || text(given.longDisplayName) || label;
    labels.push({ label, short: text(given.shortDisplayName) || label, full, colour: labelColour(labels.length) });
  }
  return labels;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** A label that spans carry but the template no longer lists. */
export function strayLabel(label: string): Label {
  return { label, short: label, full: label, colour: "#9aa3ad" };
}

type Change = "spans" | "selection";

/** The spans of one text, with undo. Knows nothing of the page. */
export class SpanEditor {
  onChange: (change: Change) => void = () => {};
  /** Without it a span that would overlap another is refused. */
  allowOverlap = true;

  private readonly history = new History<readonly Span[]>([]);
  private seed: readonly Span[] = [];
  private points = new CodePoints("");
  private content = "";
  private nextId = 1;
  private selectedId: number | null = null;

  get text(): string {
    return this.content;
  }

  /** Sorted by where they start, then by where they end. */
  get spans(): readonly Span[] {
    return this.history.state;
  }

  get selected(): Span | null {
    return this.spans.find((span) => span.id === this.selectedId) ?? null;
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  get answer(): EntityAnswer {
    return {
      entities: this.spans.map((span) => ({ endOffset: this.points.fromUnit(span.end), label: span.label, startOffset: this.points.fromUnit(span.start) })),
    };
  }

  /** A new text has no spans yet. */
  setText(content: string): void {
    if (content === this.content) return;
    this.content = content;
    this.points = new CodePoints(content);
    this.begin([]);
  }

  seedWith(value: unknown): void {
    this.seed = this.read(value);
    this.begin(this.seed);
  }

  restore(value: unknown): void {
    if (Array.isArray(value) || (isRecord(value) && Array.isArray(value.entities))) this.begin(this.read(value));
  }

  reset(): void {
    this.begin(this.seed);
  }

  select(id: number | null): void {
    if (id === this.selectedId) return;
    this.selectedId = id;
    this.onChange("selection");
  }

  /** Selects the next or previous span in reading order, from the selected one or from a place in the text. */
  step(by: 1 | -1, from: number): void {
    const { spans } = this;
    const at = spans.findIndex((span) => span.id === this.selectedId);
    const beyond = by > 0 ? spans.findIndex((span) => span.start >= from) : spans.findLastIndex((span) => span.start <= from);
    const to = at < 0 ? beyond : at + by;
    const next = spans[(to + spans.length) % Math.max(1, spans.length)];
    if (next) this.select(next.id);
  }

  /**
   * Labels a stretch. A stretch that is labelled already gets the new label
   * instead, or as well when `also` is said. Gives why it may not, or "".
   */
  add(start: number, end: number, label: string, also = false): string {
    const same = this.spans.filter((span) => span.start === start && span.end === end);
    const first = same[0];
    if (same.some((span) => span.label === label)) return "";
    if (first && !also) {
      this.relabel(first.id, label);
      return "";
    }
    if (!this.allowOverlap && this.spans.some((span) => span.start < end && start < span.end)) {
      return "Labelled stretches may not overlap in this task.";
    }
    const span = { id: this.nextId++, start, end, label };
    this.selectedId = null;
    this.put([...this.spans, span]);
    return "";
  }

  relabel(id: number, label: string): void {
    const span = this.spans.find((other) => other.id === id);
    if (!span || span.label === label) return;
    this.put(this.spans.filter((other) => other.id !== id && !(other.label === label && other.start === span.start && other.end === span.end)).concat({ ...span, label }));
  }

  remove(id: number): void {
    this.put(this.spans.filter((span) => span.id !== id));
  }

  undo(): void {
    if (this.history.undo()) this.onChange("spans");
  }

  redo(): void {
    if (this.history.redo()) this.onChange("spans");
  }

  private put(spans: readonly Span[]): void {
    this.history.push(inOrder(spans));
    this.onChange("spans");
  }

  private begin(spans: readonly Span[]): void {
    this.history.reset(inOrder(spans));
    this.selectedId = null;
    this.onChange("selection");
  }

  /** The entities of an answer or an initial value; what does not lie within the text is left out. */
  private read(value: unknown): readonly Span[] {
    const list = isRecord(value) ? value.entities : value;
    const spans: Span[] = [];
    for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
      if (!isRecord(entry) || typeof entry.label !== "string") continue;
      const [from, to] = [Number(entry.startOffset), Number(entry.endOffset)];
      if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to <= from || to > this.points.length) continue;
      spans.push({ id: this.nextId++, start: this.points.toUnit(from), end: this.points.toUnit(to), label: entry.label });
    }
    return spans;
  }
}

function inOrder(spans: readonly Span[]): readonly Span[] {
  return [...spans].sort((a, b) => a.start - b.start || a.end - b.end || (a.label < b.label ? -1 : Number(a.label > b.label)));
}
