import { html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";
import { digitOf, isTyping, strokeOf } from "../../kit/keyboard.js";
import { Unreadable, defineElement, looseProperty, loosely } from "../element/crowd-element.js";
import { showShortcuts } from "../element/shortcut-sheet.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { ToolElement } from "../element/tool-element.js";
import type { Contribution } from "../form/answer.pure.js";
import { CrowdForm } from "../form/crowd-form.js";
import { AnnotatedText, defineAnnotatedText } from "./annotated-text.js";
import type { TextRange } from "./annotated-text.js";
import { entityAnnotationLook } from "./entity-annotation-look.js";
import type { Mark } from "./layout.pure.js";
import { SpanEditor, readLabels, strayLabel } from "./spans.pure.js";
import type { EntityAnswer, Label, Span } from "./spans.pure.js";

/** So many labels are seen at a glance; with more, one searches. */
const GLANCE = 6;
const LISTED = 200;

const SHORTCUTS: readonly Shortcut[] = [
  ["Drag, double click", "select a stretch, a word"],
  ["Arrow keys", "move; with Ctrl by words"],
  ["Shift + arrow keys", "select"],
  ["1 – 9", "label what is selected; change a label"],
  ["Shift + 1 – 9", "add a second label"],
  ["Enter, /", "find a label by name"],
  ["[ and ]", "previous and next label"],
  ["Delete", "remove the label"],
  ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
  ["Esc", "let go"],
];

/**
 * Labels stretches of a text. Answers `{entities: [{endOffset, label, startOffset}]}`
 * in Unicode code points, ends exclusive, in the order of the text.
 *
 * Outside a crowd-form it brings its own, with a Submit button: templates use
 * it so, and reach through its shadow root for that form's `form`.
 */
export class CrowdEntityAnnotation extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    text: { type: String },
    description: { type: String },
    labels: looseProperty("labels"),
    initialValue: looseProperty("initial-value"),
    allowOverlap: { attribute: "allow-overlap", converter: (value: string | null) => value !== "false" },
    active: { state: true },
    query: { state: true },
    hint: { state: true },
    alone: { state: true },
  };

  static override styles = entityAnnotationLook;

  declare text: string;
  declare description: string;
  declare labels: unknown;
  declare initialValue: unknown;
  declare allowOverlap: boolean;
  /** The label that every selection gets at once, when one is held. */
  declare private active: string;
  declare private query: string;
  declare private hint: string;
  /** There is no crowd-form around. */
  declare private alone: boolean;

  override get shortcuts(): readonly Shortcut[] {
    return SHORTCUTS;
  }

  readonly editor = new SpanEditor();
  private list: readonly Label[] = [];

  constructor() {
    super();
    this.text = "";
    this.description = "";
    this.labels = [];
    this.initialValue = undefined;
    this.allowOverlap = true;
    this.active = "";
    this.query = "";
    this.hint = "";
    this.alone = false;
    this.editor.onChange = (change) => {
      this.requestUpdate();
      if (change === "spans") this.changed();
    };
  }

  // The answer

  get value(): EntityAnswer {
    return this.editor.answer;
  }

  set value(value: unknown) {
    this.editor.restore(value);
  }

  get _submittableValue(): EntityAnswer {
    return this.editor.answer;
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.editor.answer }];
  }

  restore(value: unknown): void {
    this.editor.restore(value);
  }

  reset(): void {
    this.editor.reset();
    this.message = "";
  }

  /** The form of our own. */
  get innerForm(): CrowdForm | null {
    return this.renderRoot.querySelector<CrowdForm>("crowd-form");
  }

  override get moreFields(): ParentNode | null {
    return this.innerForm;
  }

  override focus(options?: FocusOptions): void {
    this.pane?.focus(options);
  }

  // Life

  override connectedCallback(): void {
    super.connectedCallback();
    this.alone = this.closest("crowd-form") === null;
    document.addEventListener("keydown", this.onKeyDown);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKeyDown);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("labels")) this.list = readLabels(loosely(this.labels));
    if (changed.has("text")) this.editor.setText(this.text);
    if (changed.has("initialValue") || changed.has("text")) {
      if (!(this.initialValue instanceof Unreadable)) this.editor.seedWith(loosely(this.initialValue));
    }
    this.editor.allowOverlap = this.allowOverlap;
  }

  private get pane(): AnnotatedText | null {
    return this.renderRoot.querySelector<AnnotatedText>("fiducial-annotated-text");
  }

  // Labelling

  /** Gives the label to what is selected: a stretch of the text, or a span. With neither it is held for the next selections. */
  private use(label: string, also = false): void {
    const range = this.pane?.range;
    const { selected } = this.editor;
    if (range) this.mark(range.start, range.end, label, also);
    else if (selected && also) this.hint = this.editor.add(selected.start, selected.end, label, true);
    else if (selected) this.editor.relabel(selected.id, label);
    else this.active = this.active === label ? "" : label;
  }

  private mark(start: number, end: number, label: string, also = false): void {
    this.hint = this.editor.add(start, end, label, also);
    if (this.hint !== "") return;
    this.pane?.setRange(end, end);
    this.say(`${this.labelOf(label).full}: ${this.text.slice(start, end)}`);
  }

  private onRange(range: TextRange | null, final: boolean): void {
    this.hint = "";
    if (range) this.editor.select(null);
    if (range && final && this.active !== "") this.mark(range.start, range.end, this.active);
    else this.requestUpdate();
  }

  private pick(id: number | null): void {
    this.hint = "";
    this.editor.select(id);
    const { selected } = this.editor;
    if (selected) this.say(`${this.labelOf(selected.label).full}: ${this.text.slice(selected.start, selected.end)}, selected`);
  }

  /** Goes to a span from the list or by key. */
  private go(span: Span): void {
    this.pane?.setRange(span.start, span.start);
    this.pick(span.id);
    this.pane?.reveal(span.start);
  }

  private step(by: 1 | -1): void {
    this.editor.step(by, this.pane?.place ?? 0);
    if (this.editor.selected) this.go(this.editor.selected);
  }

  private letGo(): void {
    const at = this.pane?.place ?? 0;
    if (this.pane?.range) this.pane.setRange(at, at);
    this.active = "";
    this.editor.select(null);
  }

  private drop(id: number): void {
    this.editor.remove(id);
    this.say("Removed");
  }

  private say(words: string): void {
    const place = this.renderRoot.querySelector(".spoken");
    if (place) place.textContent = words;
  }

  private labelOf(label: string): Label {
    return this.list.find((other) => other.label === label) ?? strayLabel(label);
  }

  // Keys

  private readonly onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isTyping(event) || !this.concerns(event)) return;
    const stroke = strokeOf(event);
    const digit = digitOf(event) ?? (event.shiftKey ? Number(/^Digit([1-9])$/.exec(event.code)?.[1] ?? 0) : 0);
    const label = digit > 0 ? this.list[digit - 1] : undefined;
    if (label) this.use(label.label, event.shiftKey);
    else if (!this.run(stroke)) return;
    event.preventDefault();
  };

  private run(stroke: string): boolean {
    const { selected } = this.editor;
    const actions: Record<string, () => void> = {
      "mod+z": () => this.editor.undo(),
      "mod+shift+z": () => this.editor.redo(),
      "mod+y": () => this.editor.redo(),
      "]": () => this.step(1),
      "[": () => this.step(-1),
      delete: () => selected && this.drop(selected.id),
      backspace: () => selected && this.drop(selected.id),
      escape: () => this.letGo(),
      "/": () => this.findLabel(),
    };
    const action = actions[stroke];
    action?.();
    return action !== undefined;
  }

  /** Enter in the text gives the held label, or goes to the labels. */
  private onTextKey(event: KeyboardEvent): void {
    const range = this.pane?.range;
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || (!range && !this.editor.selected)) return;
    event.preventDefault();
    if (range && this.active !== "") this.mark(range.start, range.end, this.active);
    else this.findLabel();
  }

  /** To the search field, or to the labels themselves where there are too few to search. */
  private findLabel(): void {
    const field = this.search;
    (field?.hidden ? this.renderRoot.querySelector<HTMLElement>(".labels .choose") : field)?.focus();
  }

  private get search(): HTMLInputElement | null {
    return this.renderRoot.querySelector<HTMLInputElement>(".search");
  }

  private onSearchKey(event: KeyboardEvent): void {
    event.stopPropagation();
    const first = this.found[0];
    if (event.key === "Enter" && first && !event.ctrlKey && !event.metaKey) this.use(first.label, event.shiftKey);
    else if (event.key !== "Escape") return;
    event.preventDefault();
    this.query = "";
    this.pane?.focus({ preventScroll: true });
  }

  private get found(): readonly Label[] {
    const words = this.query.trim().toLowerCase();
    return this.list.filter((label) => [label.full, label.short, label.label].some((name) => name.toLowerCase().includes(words)));
  }

  private concerns(event: Event): boolean {
    const path = event.composedPath();
    // Keys in a window above the tool, such as Esc, are that window's.
    if (path.some((target) => target instanceof HTMLDialogElement)) return false;
    return path[0] === document.body || path[0] === document.documentElement || path.includes(this);
  }

  // The page

  protected override render(): unknown {
    const tool = this.layout(
      html`${this.description === "" ? nothing : html`<p class="description">${this.description}</p>`}${this.toolbar()}${this.textPane()}${this.problemLine()}<slot></slot>`,
      html`${this.labelPanel()}${this.spanPanel()}<p class="spoken visually-hidden" aria-live="polite"></p>`,
    );
    // Its fields and this one are collected from the whole page, as templates without crowd-form expect.
    return html`<crowd-form .over=${this.alone ? document.body : this.closest("crowd-form")} ?nested=${!this.alone}>${tool}</crowd-form>`;
  }

  private toolbar(): TemplateResult {
    const { selected } = this.editor;
    const tool = (name: string, label: string, run: () => void, able: boolean): TemplateResult => html`
      <button class="tool-button" type="button" title=${label} aria-label=${label} ?disabled=${!able} @click=${run}>${icon(name)}</button>
    `;
    return html`
      <div class="toolbar" role="toolbar" aria-label="Tools">
        ${tool("undo", "Undo (Ctrl+Z)", () => this.editor.undo(), this.editor.canUndo)}
        ${tool("redo", "Redo (Ctrl+Shift+Z)", () => this.editor.redo(), this.editor.canRedo)}
        ${tool("delete", "Remove the selected label (Delete)", () => selected && this.drop(selected.id), selected !== null)}
        <span class="gap"></span>
        ${tool("arrow-back", "Previous label ([)", () => this.step(-1), this.editor.spans.length > 0)}
        ${tool("arrow-forward", "Next label (])", () => this.step(1), this.editor.spans.length > 0)}
        <span class="gap"></span>
        ${tool("keyboard", "Keys (?)", showShortcuts, true)}
        <p class="hint" role="status">${this.hint === "" ? this.advice() : html`<strong>${this.hint}</strong>`}</p>
      </div>
    `;
  }

  private advice(): string {
    if (this.active !== "") return `Every selection becomes ${this.labelOf(this.active).full}. Esc ends this.`;
    if (this.pane?.range) return "Now choose a label.";
    if (this.editor.selected) return "Choose another label to change it, Delete to remove it.";
    if (matchMedia("(pointer: coarse)").matches) return "Tap the first word and the last, then choose a label.";
    return "Select words, then choose a label.";
  }

  private textPane(): TemplateResult {
    return html`
      <fiducial-annotated-text
        .text=${this.text}
        .marks=${this.marks()}
        .selected=${this.editor.selected?.id ?? null}
        .label=${`${this.header || "Text"}. Arrow keys move, with Shift they select; numbers give labels.`}
        .onRange=${(range: TextRange | null, final: boolean) => this.onRange(range, final)}
        .onPick=${(id: number | null) => this.pick(id)}
        .onRemove=${(id: number) => this.drop(id)}
        .onSay=${(words: string) => this.say(words)}
        @keydown=${(event: KeyboardEvent) => this.onTextKey(event)}
      ></fiducial-annotated-text>
    `;
  }

  private marked: readonly Mark[] = [];
  private markedFor: readonly unknown[] = [];

  private marks(): readonly Mark[] {
    const of = [this.editor.spans, this.list];
    if (of.some((value, i) => value !== this.markedFor[i])) {
      this.markedFor = of;
      this.marked = this.editor.spans.map(({ id, start, end, label }) => {
        const { colour, short, full } = this.labelOf(label);
        return { id, start, end, colour, tag: short, title: full };
      });
    }
    return this.marked;
  }

  private labelPanel(): TemplateResult {
    const fault = [this.labels, this.initialValue].find((value) => value instanceof Unreadable);
    return html`
      <section class="labels" aria-labelledby="labels-title">
        <h3 id="labels-title">Labels</h3>
        ${fault instanceof Unreadable ? html`<p class="problem" role="alert">The attribute ${fault === this.labels ? "labels" : "initial-value"} cannot be read: ${fault.message}</p>` : nothing}
        ${this.list.length === 0 ? html`<p class="quiet">No labels yet.</p>` : nothing}
        <input
          class="search"
          type="search"
          placeholder="Find a label"
          aria-label="Find a label; Enter gives the first one found"
          ?hidden=${this.list.length <= GLANCE}
          .value=${this.query}
          @input=${(event: Event) => this.onQuery(event)}
          @change=${(event: Event) => event.stopPropagation()}
          @keydown=${(event: KeyboardEvent) => this.onSearchKey(event)}
        />
        <ul @pointerdown=${(event: Event) => event.preventDefault()} @mousedown=${(event: Event) => event.preventDefault()}>
          ${this.found.map((label) => this.labelRow(label))}
        </ul>
        ${this.list.length > 0 && this.found.length === 0 ? html`<p class="quiet" role="status">No label has this in its name.</p>` : nothing}
      </section>
    `;
  }

  private onQuery(event: Event): void {
    event.stopPropagation();
    this.query = (event.target as HTMLInputElement).value;
  }

  private labelRow({ label, short, full, colour }: Label): TemplateResult {
    const n = this.list.findIndex((other) => other.label === label) + 1;
    const count = this.editor.spans.filter((span) => span.label === label).length;
    const on = this.active === label || this.editor.selected?.label === label;
    return html`
      <li class="label ${on ? "active" : ""}" style="--colour: ${colour}">
        <button class="choose" type="button" aria-pressed=${on} ?disabled=${this.disabled} @click=${(event: MouseEvent) => this.use(label, event.shiftKey)}>
          <span class="swatch"></span><span class="name">${full}</span>${short === full ? nothing : html`<span class="short">${short}</span>`}
          <span class="count" aria-label=${`${count} times`}>${count || ""}</span>${n < 10 ? html`<kbd aria-label=${`Key ${n}`}>${n}</kbd>` : nothing}
        </button>
      </li>
    `;
  }

  private spanPanel(): TemplateResult {
    const { spans, selected } = this.editor;
    const at = selected ? spans.indexOf(selected) : 0;
    const first = Math.max(0, Math.min(at - LISTED / 2, spans.length - LISTED));
    const shown = spans.slice(first, first + LISTED);
    return html`
      <section class="spans" aria-labelledby="spans-title">
        <h3 id="spans-title">Labelled <span class="total">${spans.length}</span></h3>
        <ol>
          ${shown.map((span) => this.spanRow(span))}
        </ol>
        ${shown.length < spans.length ? html`<p class="quiet">${first + 1} to ${first + shown.length} of ${spans.length}. [ and ] go through all.</p>` : nothing}
      </section>
    `;
  }

  private spanRow(span: Span): TemplateResult {
    const { full, colour } = this.labelOf(span.label);
    const on = span === this.editor.selected;
    return html`
      <li class="label ${on ? "active" : ""}" style="--colour: ${colour}">
        <button class="choose" type="button" aria-pressed=${on} @click=${() => this.go(span)}>
          <span class="swatch"></span><span class="name" dir="auto">${this.text.slice(span.start, Math.min(span.end, span.start + 80))}</span><span class="short">${full}</span>
        </button>
        <button class="drop" type="button" title="Remove" aria-label=${`Remove ${full}`} @click=${() => this.drop(span.id)}>${icon("delete")}</button>
      </li>
    `;
  }
}

export function defineEntityAnnotation(): void {
  defineAnnotatedText();
  defineElement("crowd-entity-annotation", CrowdEntityAnnotation);
  defineElement("crowd-entity-annotator", class extends CrowdEntityAnnotation {});
}
