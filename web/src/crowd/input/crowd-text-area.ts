import { html, nothing } from "../../kit/reactive.js";
import { live } from "lit/directives/live.js";
import { defineElement, switchProperty } from "../element/crowd-element.js";
import { TextField, textFieldLook } from "./text-field.js";

/** Several lines of text; grows with them up to `max-rows`. */
export class CrowdTextArea extends TextField {
  static override properties = {
    rows: { type: Number },
    maxRows: { type: Number, attribute: "max-rows" },
    charCounter: { ...switchProperty, attribute: "char-counter" },
  };
  static override styles = textFieldLook;

  declare rows: number;
  declare maxRows: number;
  declare charCounter: boolean;

  constructor() {
    super();
    this.rows = 3;
    this.maxRows = NaN;
    this.charCounter = false;
  }

  protected get control(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector("textarea");
  }

  protected override render(): unknown {
    const rows = this.rows > 0 ? this.rows : 3;
    const most = this.maxRows > 0 ? `max-height: calc(${this.maxRows} * 1.5em + 18px)` : nothing;
    return this.framed(
      html`
        <textarea
          rows=${rows}
          style=${`min-height: calc(${rows} * 1.5em + 18px);${most === nothing ? "" : most}`}
          .value=${live(this.value)}
          placeholder=${this.placeholder || nothing}
          maxlength=${Number.isFinite(this.maxLength) ? this.maxLength : nothing}
          ?disabled=${this.disabled}
          aria-required=${this.required}
          aria-label=${this.spokenName}
          aria-invalid=${this.message !== ""}
          aria-describedby="problem"
          @input=${(event: Event) => this.onInput(event)}
          @change=${() => this.onChange()}
        ></textarea>
      `,
      this.charCounter ? html`<p class="counter">${this.value.length}${Number.isFinite(this.maxLength) ? ` / ${this.maxLength}` : nothing}</p>` : nothing,
    );
  }
}

export function defineTextArea(): void {
  defineElement("crowd-text-area", CrowdTextArea);
}
