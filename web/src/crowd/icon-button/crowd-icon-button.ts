import { css, html } from "../../kit/reactive.js";
import { authorIcon } from "../button/icons.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { PressButton } from "./press-button.js";

/** A round button with nothing but an icon. */
export class CrowdIconButton extends PressButton {
  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
      }
      button {
        display: inline-grid;
        place-items: center;
        width: 40px;
        height: 40px;
        padding: 0;
        border: 0;
        border-radius: 50%;
        background: none;
      }
      button:hover {
        background: var(--crowd-accent-soft);
        color: var(--crowd-accent);
      }
      button:active {
        background: var(--crowd-line);
      }
      button:disabled {
        pointer-events: none;
        color: var(--crowd-line-strong);
      }
      .icon {
        width: 24px;
        height: 24px;
      }
    `,
  ];

  // What follows an element that its author closed with "/>" lies within it, and is shown after the button.
  protected override render(): unknown {
    return html`<button part="button" type="button" ?disabled=${this.disabled} aria-label=${this.spoken}>${authorIcon(this.icon || "unknown")}</button><slot></slot>`;
  }
}

export function defineIconButton(): void {
  defineElement("crowd-icon-button", CrowdIconButton);
}
