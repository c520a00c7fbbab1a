import { css, html } from "../../kit/reactive.js";
import type { PropertyDeclaration } from "../../kit/reactive.js";
import { live } from "lit/directives/live.js";
import { ToggleField } from "../checkbox/toggle-field.js";
import { defineElement, switchProperty } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { spokenName } from "../element/spoken-name.js";

/** A switch that is on or off. */
export class CrowdToggleButton extends ToggleField {
  static override properties: Record<string, PropertyDeclaration> = { invalid: switchProperty };

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
        gap: 10px;
        padding: 4px 0;
        cursor: pointer;
      }
      input {
        position: relative;
        flex: none;
        width: 40px;
        height: 22px;
        margin: 0.5px 0 0;
        border: 2px solid var(--crowd-line-strong);
        border-radius: 11px;
        background: var(--crowd-paper);
        cursor: inherit;
        appearance: none;
        transition: background 0.12s;
      }
      input::before {
        position: absolute;
        top: 3px;
        left: 3px;
        width: 12px;
        height: 12px;
        border-radius: 50%;
        background: var(--crowd-line-strong);
        content: "";
        transition: translate 0.12s;
      }
      input:checked {
        border-color: var(--crowd-accent);
        background: var(--crowd-accent);
      }
      input:checked::before {
        background: var(--crowd-on-accent);
        translate: 18px;
      }
      .invalid input:not(:checked) {
        border-color: var(--crowd-danger);
        background: var(--crowd-danger-soft);
      }
      .invalid input:not(:checked)::before {
        background: var(--crowd-danger);
      }
      input:disabled {
        opacity: 0.5;
      }
      :host([disabled]:not([disabled="false"])) label {
        color: var(--crowd-ink-soft);
        cursor: not-allowed;
      }
    `,
  ];

  declare invalid: boolean;

  constructor() {
    super();
    this.invalid = false;
  }

  override problem(): string {
    return this.required && !this.checked ? "Please switch this on." : "";
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector("input")?.focus(options);
  }

  private onChange(event: Event): void {
    this.checked = (event.target as HTMLInputElement).checked;
    this.changed();
  }

  protected override render(): unknown {
    const bad = this.invalid || this.message !== "";
    return html`
      <label class=${bad ? "invalid" : ""}>
        <input
          type="checkbox"
          role="switch"
          .checked=${live(this.checked)}
          ?disabled=${this.disabled}
          aria-required=${this.required}
          aria-invalid=${bad && !this.checked}
          aria-describedby="problem"
          aria-label=${spokenName(this, this.textContent ?? "", this.name) || "Switch"}
          @change=${(event: Event) => this.onChange(event)}
          @input=${(event: Event) => event.stopPropagation()}
        />
        <span><slot @slotchange=${() => this.requestUpdate()}></slot></span>
      </label>
      <p class="problem" id="problem" role="alert">${this.message}</p>
    `;
  }
}

export function defineToggleButton(): void {
  defineElement("crowd-toggle-button", CrowdToggleButton);
}
