import type { PropertyDeclaration, PropertyValues } from "../../kit/reactive.js";
import { namesOf } from "../../kit/loose.js";
import { Unreadable, defineElement, looseProperty, loosely } from "../element/crowd-element.js";
import { SegmentationElement } from "../segmentation/segmentation-element.js";
import type { Painted } from "../segmentation/segmentation-element.js";
import { segmentationLook } from "../segmentation/segmentation-look.js";
import { earlierFrom, segmentsFor } from "../segmentation/segments.pure.js";
import type { Earlier, Segment } from "../segmentation/segments.pure.js";

/** Gives every pixel of a picture a label, or none. Answers `{inputImageProperties, labelMappings, labeledImage}`. */
export class CrowdSemanticSegmentation extends SegmentationElement {
  static override properties: Record<string, PropertyDeclaration> = {
    initialValue: looseProperty("initial-value"),
  };

  static override styles = segmentationLook;

  declare initialValue: unknown;
  private all: readonly Segment[] = [];
  /** Colours that came with an earlier segmentation. */
  private given: readonly Segment[] = [];
  /** Values in the order in which they were first painted. */
  private used: number[] = [];

  constructor() {
    super();
    this.initialValue = undefined;
  }

  protected get segments(): readonly Segment[] {
    return this.all;
  }

  protected get seed(): Earlier | null {
    return this.initialValue instanceof Unreadable ? null : earlierFrom(loosely(this.initialValue));
  }

  protected answer({ inputImageProperties, labeledImage }: Painted): Record<string, unknown> {
    const labelMappings: Record<string, { color: string }> = {};
    for (const value of this.order()) {
      const { label, colour } = this.all[value - 1] as Segment;
      Object.defineProperty(labelMappings, label, { value: { color: colour }, enumerable: true });
    }
    return { inputImageProperties, labelMappings, labeledImage };
  }

  /** The values that occur, those first painted first. */
  private order(): number[] {
    const there = (value: number): boolean => (this.map?.countOf(value) ?? 0) > 0;
    const all = this.all.map((_, i) => i + 1);
    this.used = [...this.used.filter((value) => value <= all.length), ...all.filter((value) => there(value) && !this.used.includes(value))];
    return this.used.filter(there);
  }

  protected override afterStep(): void {
    this.order();
  }

  protected adopt(earlier: Earlier): void {
    this.given = [...earlier.segments, ...this.given.filter(({ label }) => !earlier.segments.some((s) => s.label === label))];
    this.used = [];
    this.setLabels();
    this.used = earlier.segments.map(({ label }) => this.all.findIndex((s) => s.label === label) + 1);
  }

  take(): number {
    return this.all.findIndex(({ label }) => label === this.palette.active) + 1;
  }

  get colour(): string {
    return this.palette.colourOf(this.palette.active);
  }

  protected isHidden(value: number): boolean {
    return this.palette.isHidden(this.all[value - 1]?.label ?? "");
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("labels") || changed.has("initialValue")) this.setLabels();
    // Set anew by a script, an initial value is a new beginning.
    if (changed.has("initialValue") && this.state === "ready") this.reset();
  }

  private setLabels(): void {
    const old = this.all;
    const { seed } = this;
    const given = [...this.given, ...(seed?.segments ?? []).filter(({ label }) => !this.given.some((s) => s.label === label))];
    const next = segmentsFor(namesOf(loosely(this.labels)), given);
    // Values keep their meaning: what is painted stays what it was, and labels that are gone stay until they are back.
    const known = new Set(old.map(({ label }) => label));
    const find = (label: string): Segment | undefined => next.find((s) => s.label === label);
    this.all = this.map === null ? next : [...old.map((s) => find(s.label) ?? s), ...next.filter(({ label }) => !known.has(label))];
    const shown = [...next.map(({ label }) => label), ...this.all.filter((s, i) => !find(s.label) && (this.map?.countOf(i + 1) ?? 0) > 0).map(({ label }) => label)];
    this.palette.set(shown);
    this.palette.setColours(shown.map((label) => this.all.find((s) => s.label === label)?.colour ?? ""));
  }

  protected override literals(): readonly (readonly [string, unknown])[] {
    return [...super.literals(), ["initial-value", this.initialValue]];
  }

  protected panel(): unknown {
    return this.advice();
  }
}

export function defineSemanticSegmentation(): void {
  defineElement("crowd-semantic-segmentation", CrowdSemanticSegmentation);
}
