import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues } from "../../kit/reactive.js";
import { CrowdField, switchProperty } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { spokenName } from "../element/spoken-name.js";
import type { Contribution } from "../form/answer.pure.js";

/** What crowd-input and crowd-text-area have in common: a line or more of text that may have to fit a pattern. */
export abstract class TextField extends CrowdField {
  static override properties: Record<string, PropertyDeclaration> = {
    allowedPattern: { attribute: "allowed-pattern" },
    autoFocus: { ...switchProperty, attribute: "auto-focus" },
    autoValidate: { ...switchProperty, attribute: "auto-validate" },
    errorMessage: { attribute: "error-message" },
    label: {},
    maxLength: { type: Number, attribute: "max-length" },
    minLength: { type: Number, attribute: "min-length" },
    placeholder: {},
    required: switchProperty,
    // The attribute is the preset; the property is what the field holds now.
    preset: { attribute: "value" },
    value: { attribute: false },
  };

  declare allowedPattern: string;
  declare autoFocus: boolean;
  declare autoValidate: boolean;
  declare errorMessage: string;
  declare label: string;
  declare maxLength: number;
  declare minLength: number;
  declare placeholder: string;
  declare required: boolean;
  declare preset: string;

  private text: string | null = null;

  constructor() {
    super();
    this.allowedPattern = "";
    this.autoFocus = false;
    this.autoValidate = false;
    this.errorMessage = "";
    this.label = "";
    this.maxLength = NaN;
    this.minLength = NaN;
    this.placeholder = "";
    this.required = false;
    this.preset = "";
  }

  get value(): string {
    return this.text ?? this.preset ?? "";
  }

  set value(value: string | null | undefined) {
    const old = this.value;
    this.text = value === null || value === undefined ? "" : String(value);
    this.requestUpdate("value", old);
  }

  get _submittableValue(): string {
    return this.value;
  }

  protected contribute(): readonly Contribution[] {
    return this.value === "" ? [] : [{ name: this.name, value: this.value }];
  }

  restore(value: unknown): void {
    if (typeof value === "string") this.value = value;
  }

  reset(): void {
    this.text = null;
    this.message = "";
    this.requestUpdate("value");
  }

  override problem(): string {
    if (this.required && this.value.trim() === "") return this.errorMessage || "Please fill in this field.";
    if (this.value !== "" && this.value.length < this.minLength) return this.errorMessage || `Please write at least ${this.minLength} characters.`;
    // Of the browser's own checks those that look at the text; it does not know of ours.
    const native = this.control?.validity;
    if (!native || native.valid || native.valueMissing || native.tooShort || native.tooLong) return "";
    return this.errorMessage || (this.control?.validationMessage ?? "");
  }

  override focus(options?: FocusOptions): void {
    this.control?.focus(options);
  }

  protected abstract get control(): HTMLInputElement | HTMLTextAreaElement | null;

  /** The text without the characters that the pattern does not allow, each looked at by itself, and not longer than allowed. */
  private allowed(text: string): string {
    let kept = text;
    if (this.autoValidate && this.allowedPattern !== "") {
      const pattern = compile(this.allowedPattern);
      if (pattern) kept = [...kept].filter((character) => pattern.test(character)).join("");
    }
    return Number.isFinite(this.maxLength) ? kept.slice(0, this.maxLength) : kept;
  }

  protected onInput(event: Event): void {
    const control = event.target as HTMLInputElement | HTMLTextAreaElement;
    const kept = this.allowed(control.value);
    const dropped = kept !== control.value;
    if (dropped) control.value = kept;
    this.value = kept;
    if (this.autoValidate) this.message = dropped && this.errorMessage !== "" ? this.errorMessage : "";
    else if (this.message !== "") this.message = this.problem();
  }

  protected onChange(): void {
    if (this.autoValidate) this.message = this.problem();
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }

  protected override firstUpdated(_changed: PropertyValues): void {
    if (!this.autoFocus) return;
    this.control?.focus();
    // When the page around gives the focus to the frame, it takes it from what is within.
    const again = (): void => (document.activeElement === document.body ? this.control?.focus() : undefined);
    addEventListener("focus", again, { once: true });
  }

  protected framed(control: unknown, below: unknown = nothing): unknown {
    return html`
      <label>
        ${this.label === "" ? nothing : html`<span class="label">${this.label}${this.required ? html`<span class="star" aria-hidden="true"> *</span>` : nothing}</span>`}
        ${control}
      </label>
      <div class="below">
        <p class="problem" id="problem" role="alert">${this.message}</p>
        ${below}
      </div>
    `;
  }

  /** A field without a label of its own still needs a name for those who do not see the page. */
  protected get spokenName(): string | typeof nothing {
    return this.label === "" ? spokenName(this, this.placeholder, this.name) || nothing : nothing;
  }
}

const patterns = new Map<string, RegExp | null>();

function compile(source: string): RegExp | null {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  let pattern: RegExp | null = null;
  try {
    pattern = new RegExp(`^(?:${source})$`, "u");
  } catch {
    // A pattern that is none allows everything: the worker cannot mend it.
  }
  patterns.set(source, pattern);
  return pattern;
}

export const textFieldLook = [
  look,
  css`
    :host {
      display: block;
      margin: 8px 0;
    }
    label {
      display: block;
    }
    .label {
      display: block;
      margin-bottom: 4px;
      font-size: 14px;
      font-weight: 600;
    }
    .star {
      color: var(--crowd-danger);
    }
    input,
    textarea {
      display: block;
      width: 100%;
      padding: 8px 12px;
      border: 1px solid var(--crowd-line-strong);
      border-radius: var(--crowd-radius);
      background: var(--crowd-paper);
      color: var(--crowd-ink);
      font: inherit;
    }
    input {
      min-height: 38px;
    }
    textarea {
      resize: vertical;
      field-sizing: content;
    }
    input:focus,
    textarea:focus {
      outline: 2px solid var(--crowd-accent);
      outline-offset: -1px;
      border-color: var(--crowd-accent);
    }
    [aria-invalid="true"] {
      border-color: var(--crowd-danger);
    }
    :disabled {
      background: var(--crowd-paper-soft);
      color: var(--crowd-ink-soft);
      cursor: not-allowed;
    }
    ::placeholder {
      color: var(--crowd-ink-soft);
      opacity: 0.85;
    }
    .below {
      display: flex;
      justify-content: space-between;
      gap: 12px;
    }
    .counter {
      margin: 4px 0 0 auto;
      font-size: 13px;
      color: var(--crowd-ink-soft);
      font-variant-numeric: tabular-nums;
    }
  `,
];
