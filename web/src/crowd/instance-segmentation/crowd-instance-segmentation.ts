import { html, nothing } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";
import { defineElement } from "../element/crowd-element.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { SegmentationElement } from "../segmentation/segmentation-element.js";
import type { Painted } from "../segmentation/segmentation-element.js";
import { segmentationLook } from "../segmentation/segmentation-look.js";
import { freshColour } from "../segmentation/segments.pure.js";
import type { Earlier, Segment } from "../segmentation/segments.pure.js";

/** Labels that stand for kinds of things have no colour of their own: each thing has one. */
const KIND_COLOUR = "#7d8795";

/** Marks each thing in a picture by itself. Answers `{inputImageProperties, instances, labeledImage}`. */
export class CrowdInstanceSegmentation extends SegmentationElement {
  static override styles = segmentationLook;

  protected override readonly noun = "instances";
  /** Never shortened: values of the map point here, and undo may bring one back. */
  private all: readonly Segment[] = [];
  /** The value in hand; 0 when the next stroke begins a new instance. */
  private held = 0;
  private readonly unseen = new Set<number>();

  protected get segments(): readonly Segment[] {
    return this.all;
  }

  protected get seed(): Earlier | null {
    return null;
  }

  protected answer({ inputImageProperties, labeledImage }: Painted): Record<string, unknown> {
    const instances = this.byLabel().map((value) => {
      const { label, colour } = this.all[value - 1] as Segment;
      return { color: colour, label };
    });
    return { inputImageProperties, instances, labeledImage };
  }

  /** The values that occur: label by label, in the order in which they were begun. */
  private byLabel(): number[] {
    const labels = [...new Set([...this.palette.names, ...this.all.map(({ label }) => label)])];
    const there = this.all.flatMap((_, i) => ((this.map?.countOf(i + 1) ?? 0) > 0 ? [i + 1] : []));
    return labels.flatMap((label) => there.filter((value) => this.all[value - 1]?.label === label));
  }

  protected adopt(earlier: Earlier): void {
    this.all = earlier.segments;
    this.held = 0;
    this.unseen.clear();
  }

  take(): number {
    const label = this.palette.active;
    if (label === "") return 0;
    if (this.all[this.held - 1]?.label !== label) this.beginInstance(label);
    return this.held;
  }

  private beginInstance(label: string): void {
    this.all = [...this.all, { label, colour: freshColour(new Set(this.all.map(({ colour }) => colour))) }];
    this.held = this.all.length;
    this.shade();
  }

  get colour(): string {
    return this.all[this.held - 1]?.colour ?? freshColour(new Set(this.all.map(({ colour }) => colour)));
  }

  protected isHidden(value: number): boolean {
    return this.unseen.has(value) || this.palette.isHidden(this.all[value - 1]?.label ?? "");
  }

  protected override shade(): void {
    super.shade();
    const colours = this.palette.names.map(() => KIND_COLOUR);
    if (this.palette.names.some((name) => this.palette.colourOf(name) !== KIND_COLOUR)) this.palette.setColours(colours);
  }

  protected override countOf(label: string): number {
    return this.byLabel().filter((value) => this.all[value - 1]?.label === label).length;
  }

  /** A label chosen is the beginning of another instance of it. */
  protected override useLabel(label: string): void {
    this.held = 0;
    super.useLabel(label);
  }

  private pick(value: number): void {
    const label = this.all[value - 1]?.label;
    if (label !== undefined) this.palette.choose(label);
    this.held = value;
    this.requestUpdate();
  }

  private hide(value: number): void {
    if (!this.unseen.delete(value)) this.unseen.add(value);
    this.shade();
  }

  private eraseInstance(value: number): void {
    const { map } = this;
    if (!map) return;
    map.where({ left: 0, top: 0, ...map.size }, (x, y) => map.at(x, y) === value, 0);
    map.commit();
    if (this.held === value) this.held = 0;
    this.stepped();
  }

  private startNext(): void {
    this.held = 0;
    this.requestUpdate();
  }

  protected override get strokes(): Readonly<Record<string, () => void>> {
    return { ...super.strokes, n: () => this.startNext(), delete: () => this.held > 0 && this.eraseInstance(this.held) };
  }

  protected override get toolShortcuts(): readonly Shortcut[] {
    return [["N", "next instance of the same label"], ["Delete", "delete the instance in hand"], ...super.toolShortcuts];
  }

  protected panel(): TemplateResult {
    const values = this.byLabel();
    return html`
      ${this.advice()}
      <section class="shapes" aria-labelledby="instances-title">
        <h3 id="instances-title">Instances <span class="total">${values.length}</span></h3>
        ${values.length === 0 ? html`<p class="quiet">Choose a label and paint a thing of that kind.</p>` : nothing}
        <ul class="instances">
          ${values.map((value, i) => this.row(value, i))}
        </ul>
        <button class="button add" type="button" ?disabled=${this.palette.active === "" || this.held === 0} @click=${() => this.startNext()}>${icon("add")} Add instance <kbd>N</kbd></button>
      </section>
    `;
  }

  private row(value: number, i: number): TemplateResult {
    const { label, colour } = this.all[value - 1] as Segment;
    const hidden = this.unseen.has(value);
    const name = `${label}, instance ${i + 1}`;
    return html`
      <li class="label ${value === this.held ? "active" : ""} ${hidden ? "unseen" : ""}" style="--colour: ${colour}">
        <button class="choose" type="button" aria-pressed=${value === this.held} aria-label=${name} @click=${() => this.pick(value)}><span class="swatch"></span><span class="name">${label}</span></button>
        <button class="eye" type="button" aria-pressed=${hidden} aria-label=${`Hide ${name}`} title=${hidden ? "Show" : "Hide"} @click=${() => this.hide(value)}>${icon(hidden ? "visibility-off" : "visibility")}</button>
        <button class="eye" type="button" aria-label=${`Delete ${name}`} title="Delete" @click=${() => this.eraseInstance(value)}>${icon("delete")}</button>
      </li>
    `;
  }
}

export function defineInstanceSegmentation(): void {
  defineElement("crowd-instance-segmentation", CrowdInstanceSegmentation);
}
