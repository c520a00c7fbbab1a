import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { digitOf, isTyping } from "../../kit/keyboard.js";
import { namesOf } from "../../kit/loose.js";
import { isRecord } from "../../kit/record.js";
import { Unreadable, looseProperty, loosely } from "../element/crowd-element.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { ToolElement } from "../element/tool-element.js";
import type { Contribution } from "../form/answer.pure.js";

/** A chosen category. Also reads as its own text: public templates use it as a key. */
export interface LabelAnswer {
  readonly label: string;
  readonly workerComment?: string;
}

/** The four classifiers: categories to choose from, one or several, by click or by the keys 1 to 9. */
export abstract class CategoryField extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    categories: looseProperty("categories"),
    exclusionCategory: looseProperty("exclusion-category"),
    chosen: { state: true },
  };

  declare categories: unknown;
  declare exclusionCategory: unknown;
  declare protected chosen: readonly string[];

  protected abstract readonly several: boolean;
  /** While the exclusion is chosen the others cannot be. */
  protected readonly exclusionLocks: boolean = false;
  private keys: AbortController | null = null;

  constructor() {
    super();
    this.categories = [];
    this.exclusionCategory = undefined;
    this.chosen = [];
  }

  protected get names(): string[] {
    return namesOf(loosely(this.categories));
  }

  /** "None of these", when the template offers it. Only where several can be chosen. */
  protected get exclusion(): string {
    const value = loosely(this.exclusionCategory);
    if (!this.several) return "";
    return isRecord(value) && typeof value.text === "string" ? value.text : typeof value === "string" ? value : "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.keys = new AbortController();
    document.addEventListener("keydown", (event) => this.onDigit(event), { signal: this.keys.signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.keys?.abort();
  }

  /** Categories may change under way; what is no longer offered is no longer chosen. */
  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("categories") && !changed.has("exclusionCategory")) return;
    const offered = [...this.names, this.exclusion];
    if (this.chosen.some((name) => !offered.includes(name))) this.chosen = this.chosen.filter((name) => offered.includes(name));
  }

  override get shortcuts(): readonly Shortcut[] {
    return [[`1 – ${Math.max(1, Math.min(9, this.names.length + (this.exclusion === "" ? 0 : 1)))}`, this.several ? "choose a category, or let go of it" : "choose a category"]];
  }

  /** The chosen ones in the order in which the template lists them. */
  protected get answerLabels(): string[] {
    return [...this.names, this.exclusion].filter((name) => name !== "" && this.chosen.includes(name));
  }

  get value(): unknown {
    return this.answerValue();
  }

  set value(value: unknown) {
    this.restore(typeof value === "string" ? (this.several ? { labels: [value] } : { label: value }) : Array.isArray(value) ? { labels: value as unknown[] } : value);
    if (value === null || value === undefined) this.chosen = [];
  }

  get _submittableValue(): unknown {
    return this.answerValue();
  }

  protected abstract answerValue(): unknown;

  protected contribute(): readonly Contribution[] {
    const value = this.answerValue();
    return value === undefined ? [] : [{ name: this.name, value }];
  }

  restore(value: unknown): void {
    if (!isRecord(value)) return;
    const wanted = this.several ? value.labels : [value.label];
    if (!Array.isArray(wanted)) return;
    this.chosen = [...this.names, this.exclusion].filter((name) => name !== "" && wanted.includes(name));
  }

  reset(): void {
    this.chosen = [];
    this.message = "";
  }

  override problem(): string {
    if (this.answerLabels.length > 0 || this.names.length === 0) return "";
    return this.several ? "Please choose at least one category." : "Please choose a category.";
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>(".category input")?.focus(options);
  }

  protected choose(name: string, on: boolean): void {
    if (this.disabled) return;
    if (!this.several) this.chosen = [name];
    else if (!on) this.chosen = this.chosen.filter((other) => other !== name);
    else if (name === this.exclusion) this.chosen = [name];
    else if (this.locked) return;
    else this.chosen = [...this.chosen.filter((other) => other !== this.exclusion && other !== name), name];
    this.changed();
  }

  private get locked(): boolean {
    return this.exclusionLocks && this.chosen.includes(this.exclusion);
  }

  private onDigit(event: KeyboardEvent): void {
    const digit = digitOf(event);
    if (digit === null || digit === 0 || event.defaultPrevented || isTyping(event) || !this.alone(event)) return;
    const name = [...this.names, this.exclusion].filter((n) => n !== "")[digit - 1];
    if (name === undefined) return;
    event.preventDefault();
    this.choose(name, !this.chosen.includes(name));
  }

  /** Keys mean this element when the focus is in it, or nowhere and there is no other tool on the page. */
  private alone(event: Event): boolean {
    if (event.composedPath().includes(this)) return true;
    const target = event.composedPath()[0];
    if (target !== document.body && target !== document.documentElement) return false;
    return [...document.querySelectorAll("*")].filter((element) => element instanceof ToolElement && element.checkVisibility()).length === 1;
  }

  protected picker(below: unknown = nothing): TemplateResult {
    const names = this.names;
    const exclusion = this.exclusion;
    const fault = this.categories instanceof Unreadable ? this.categories.message : "";
    return html`
      <fieldset ?disabled=${this.disabled} class="category-picker" aria-describedby="problem">
        <legend>${this.several ? "Select all that apply" : "Select one"}</legend>
        ${fault === "" ? nothing : html`<p class="problem" role="alert">The attribute categories cannot be read: ${fault}</p>`}
        ${names.map((name, i) => this.option(name, i))}
        ${exclusion === "" ? nothing : html`<hr />${this.option(exclusion, names.length)}`}
      </fieldset>
      <p class="problem" id="problem" role="alert">${this.message}</p>
      ${below}
    `;
  }

  private option(name: string, i: number): TemplateResult {
    const on = this.chosen.includes(name);
    return html`
      <label class="category ${on ? "on" : ""}">
        <input
          aria-keyshortcuts=${i < 9 ? i + 1 : nothing}
          type=${this.several ? "checkbox" : "radio"}
          name="category"
          .checked=${on}
          ?disabled=${this.locked && !on}
          @change=${(event: Event) => this.choose(name, (event.target as HTMLInputElement).checked)}
          @input=${(event: Event) => event.stopPropagation()}
        />
        <span class="name">${name}</span>
        ${i < 9 ? html`<kbd aria-hidden="true">${i + 1}</kbd>` : nothing}
      </label>
    `;
  }
}

export const categoryLook = css`
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  legend {
    padding: 0;
    margin-bottom: 8px;
    font-size: 13px;
    font-weight: 700;
    color: var(--crowd-ink-soft);
  }
  hr {
    margin: 8px 0;
    border: 0;
    border-top: 1px solid var(--crowd-line);
  }
  .category {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 42px;
    margin-bottom: 6px;
    padding: 6px 10px;
    border: 1px solid var(--crowd-line);
    border-radius: var(--crowd-radius);
    background: var(--crowd-paper);
    cursor: pointer;
  }
  .category:hover {
    border-color: var(--crowd-line-strong);
    background: var(--crowd-paper-soft);
  }
  .category.on {
    border-color: var(--crowd-accent);
    background: var(--crowd-accent-soft);
    box-shadow: inset 0 0 0 1px var(--crowd-accent);
  }
  .category:has(input:focus-visible) {
    outline: 2px solid var(--crowd-accent);
    outline-offset: 2px;
  }
  .category input {
    flex: none;
    width: 17px;
    height: 17px;
    margin: 0;
    accent-color: var(--crowd-accent);
    outline: none;
  }
  .category .name {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  fieldset:disabled {
    opacity: 0.6;
  }
  kbd {
    min-width: 20px;
    padding: 0 5px;
    border: 1px solid var(--crowd-line);
    border-bottom-width: 2px;
    border-radius: 4px;
    background: var(--crowd-paper);
    font: 12px/18px var(--crowd-font);
    text-align: center;
    color: var(--crowd-ink-soft);
  }
`;

/** The answer object of one label; as text it is the label. */
export function labelAnswer(label: string, workerComment: string): LabelAnswer {
  const answer = workerComment === "" ? { label } : { label, workerComment };
  return Object.defineProperty(answer, "toString", { value: () => label, enumerable: false });
}
