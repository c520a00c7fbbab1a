import { css, html, nothing } from "../../kit/reactive.js";
import { live } from "lit/directives/live.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { spokenName } from "../element/spoken-name.js";
import { ToggleField } from "./toggle-field.js";

export class CrowdCheckbox extends ToggleField {
  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
        margin: 2px 16px 2px 0;
      }
      label {
        display: inline-flex;
        align-items: flex-start;
        gap: 9px;
        padding: 4px 0;
        cursor: pointer;
      }
      input {
        flex: none;
        width: 18px;
        height: 18px;
        margin: 2.5px 0 0;
        accent-color: var(--crowd-accent);
        cursor: inherit;
      }
      :host([disabled]) label {
        color: var(--crowd-ink-soft);
        cursor: not-allowed;
      }
    `,
  ];

  override problem(): string {
    return this.required && !this.checked ? "Please tick this box." : "";
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector("input")?.focus(options);
  }

  private onChange(event: Event): void {
    this.checked = (event.target as HTMLInputElement).checked;
    this.changed();
  }

  protected override render(): unknown {
    return html`
      <label>
        <input
          type="checkbox"
          .checked=${live(this.checked)}
          ?disabled=${this.disabled}
          aria-required=${this.required}
          aria-invalid=${this.message !== ""}
          aria-describedby="problem"
          aria-label=${spokenName(this, this.textContent ?? "", this.name) || nothing}
          @change=${(event: Event) => this.onChange(event)}
          @input=${stop}
        />
        <span><slot @slotchange=${() => this.requestUpdate()}></slot></span>
      </label>
      <p class="problem" id="problem" role="alert">${this.message}</p>
    `;
  }
}

/** The inner event would come to the form before the field has taken the change; the field tells of it itself. */
function stop(event: Event): void {
  event.stopPropagation();
}

export function defineCheckbox(): void {
  defineElement("crowd-checkbox", CrowdCheckbox);
}
