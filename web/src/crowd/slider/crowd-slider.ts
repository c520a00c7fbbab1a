import { html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration } from "../../kit/reactive.js";
import { live } from "lit/directives/live.js";
import { CrowdField, defineElement, switchProperty } from "../element/crowd-element.js";
import { spokenName } from "../element/spoken-name.js";
import type { Contribution } from "../form/answer.pure.js";
import { CrowdSliderLabel } from "./crowd-slider-label.js";
import { sliderLook } from "./slider-look.js";
import { fraction, settle } from "./values.pure.js";
import type { Scale } from "./values.pure.js";

/** A number on a scale, by a knob; with `editable` also by typing. Answers the number. */
export class CrowdSlider extends CrowdField {
  static override properties: Record<string, PropertyDeclaration> = {
    editable: switchProperty,
    max: { type: Number },
    min: { type: Number },
    pin: switchProperty,
    required: switchProperty,
    secondaryProgress: { type: Number, attribute: "secondary-progress" },
    step: { type: Number },
    // The attribute is the preset; the property is what the slider stands at now.
    preset: { type: Number, attribute: "value" },
    value: { attribute: false },
  };

  static override styles = sliderLook;

  declare editable: boolean;
  declare max: number;
  declare min: number;
  declare pin: boolean;
  declare required: boolean;
  declare secondaryProgress: number;
  declare step: number;
  declare preset: number | null;

  /** What the worker or a script chose; null until then. */
  private chosen: number | null = null;

  constructor() {
    super();
    this.editable = false;
    this.max = 100;
    this.min = 0;
    this.pin = false;
    this.required = false;
    this.secondaryProgress = NaN;
    this.step = 1;
    this.preset = null;
    this.addEventListener("crowd-slider-label", () => this.requestUpdate());
    this.addEventListener("click", (event) => this.onLabel(event));
  }

  private get scale(): Scale {
    return { min: this.min, max: this.max, step: this.step };
  }

  get value(): number {
    return settle(this.chosen ?? this.preset ?? NaN, this.scale);
  }

  set value(value: unknown) {
    const old = this.value;
    const number = value === null || value === "" ? NaN : Number(value);
    this.chosen = Number.isFinite(number) ? number : null;
    this.requestUpdate("value", old);
  }

  get _submittableValue(): number {
    return this.value;
  }

  private get untouched(): boolean {
    return this.chosen === null && !Number.isFinite(this.preset ?? NaN);
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.value }];
  }

  restore(value: unknown): void {
    if (typeof value === "number" || (typeof value === "string" && value.trim() !== "")) this.value = value;
  }

  reset(): void {
    this.value = null;
    this.message = "";
  }

  override problem(): string {
    return this.required && this.untouched ? "Please choose a value." : "";
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('[type="range"]')?.focus(options);
  }

  private choose(value: number): void {
    if (this.disabled) return;
    this.value = value;
    this.changed();
  }

  private onKnob(event: Event): void {
    event.stopPropagation();
    this.choose((event.target as HTMLInputElement).valueAsNumber);
  }

  /** The knob may be where it is wanted already: pressing it, or Enter on it, chooses that. */
  private accept(): void {
    if (this.untouched) this.choose(this.value);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    this.accept();
  }

  private onNumber(event: Event): void {
    event.stopPropagation();
    const field = event.target as HTMLInputElement;
    if (Number.isFinite(field.valueAsNumber)) this.choose(field.valueAsNumber);
    field.value = String(this.value);
  }

  private get labels(): CrowdSliderLabel[] {
    return [...this.querySelectorAll("crowd-slider-label")].filter((e): e is CrowdSliderLabel => e instanceof CrowdSliderLabel);
  }

  private onLabel(event: Event): void {
    const label = this.labels.find((one) => event.composedPath().includes(one));
    if (label && Number.isFinite(label.position)) this.choose(label.position);
  }

  protected override updated(): void {
    for (const label of this.labels) label.style.setProperty("--crowd-at", String(fraction(label.position, this.scale)));
  }

  protected override render(): unknown {
    if (!(this.min < this.max)) return html`<p class="problem" role="alert">A slider's min must be below its max: they are ${this.min} and ${this.max}.</p>`;
    const step = this.step > 0 ? this.step : "any";
    const spoken = spokenName(this, this.name) || "Slider";
    const second = Number.isFinite(this.secondaryProgress) ? fraction(this.secondaryProgress, this.scale) : 0;
    const text = this.labels.find((label) => label.position === this.value)?.textContent?.trim() ?? "";
    return html`
      <div class="row">
        <div class="rail ${this.pin ? "pinned" : ""} ${this.untouched ? "untouched" : ""}" style=${`--at: ${fraction(this.value, this.scale)}; --second: ${second}`}>
          <input
            type="range"
            min=${this.min}
            max=${this.max}
            step=${step}
            .value=${live(String(this.value))}
            ?disabled=${this.disabled}
            aria-label=${spoken}
            aria-valuetext=${text === "" || text === String(this.value) ? nothing : `${this.value}, ${text}`}
            aria-invalid=${this.message !== ""}
            aria-describedby="problem"
            @input=${(event: Event) => this.onKnob(event)}
            @change=${(event: Event) => event.stopPropagation()}
            @pointerup=${() => this.accept()}
            @keydown=${(event: KeyboardEvent) => this.onKey(event)}
          />
          ${this.pin ? html`<span class="pin" aria-hidden="true">${this.value}</span>` : nothing}
        </div>
        ${this.editable ? html`<input type="number" min=${this.min} max=${this.max} step=${step} .value=${live(String(this.value))} ?disabled=${this.disabled} aria-label=${`${spoken}, value`} @input=${(event: Event) => event.stopPropagation()} @change=${(event: Event) => this.onNumber(event)} />` : nothing}
      </div>
      <div class="labels"><slot @slotchange=${() => this.requestUpdate()}></slot></div>
      <p class="problem" id="problem" role="alert">${this.message}</p>
    `;
  }
}

export function defineSlider(): void {
  defineElement("crowd-slider", CrowdSlider);
}
