import { html, nothing } from "../../kit/reactive.js";
import { live } from "lit/directives/live.js";
import { defineElement } from "../element/crowd-element.js";
import { TextField, textFieldLook } from "./text-field.js";

/** One line of text, or another of the browser's input types. */
export class CrowdInput extends TextField {
  static override properties = { type: {}, min: {}, max: {}, step: {}, pattern: {} };
  static override styles = textFieldLook;

  declare type: string;
  // Those of the browser's own field, for the types that have them.
  declare min: string;
  declare max: string;
  declare step: string;
  declare pattern: string;

  constructor() {
    super();
    this.type = "text";
    this.min = "";
    this.max = "";
    this.step = "";
    this.pattern = "";
  }

  protected get control(): HTMLInputElement | null {
    return this.renderRoot.querySelector("input");
  }

  protected override render(): unknown {
    return this.framed(html`
      <input
        type=${this.type || "text"}
        .value=${this.type === "file" ? nothing : live(this.value)}
        placeholder=${this.placeholder || nothing}
        maxlength=${Number.isFinite(this.maxLength) ? this.maxLength : nothing}
        min=${this.min || nothing}
        max=${this.max || nothing}
        step=${this.step || nothing}
        pattern=${this.pattern || nothing}
        ?disabled=${this.disabled}
        aria-required=${this.required}
        aria-label=${this.spokenName}
        aria-invalid=${this.message !== ""}
        aria-describedby="problem"
        @input=${(event: Event) => this.onInput(event)}
        @change=${() => this.onChange()}
      />
    `);
  }
}

export function defineInput(): void {
  defineElement("crowd-input", CrowdInput);
}
