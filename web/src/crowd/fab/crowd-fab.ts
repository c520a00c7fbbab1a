import { css, html } from "../../kit/reactive.js";
import { authorIcon } from "../button/icons.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { PressButton } from "../icon-button/press-button.js";

/** A round button that stands out from the page, with an icon or one character. */
export class CrowdFab extends PressButton {
  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
      }
      button {
        display: inline-grid;
        place-items: center;
        width: 56px;
        height: 56px;
        padding: 0;
        border: 0;
        border-radius: 50%;
        background: var(--crowd-accent);
        color: var(--crowd-on-accent);
        font-size: 22px;
        line-height: 1;
        box-shadow:
          0 3px 8px rgb(0 0 0 / 0.28),
          0 1px 2px rgb(0 0 0 / 0.2);
      }
      button:hover {
        background: var(--crowd-accent-strong);
      }
      button:active {
        box-shadow: 0 1px 3px rgb(0 0 0 / 0.3);
      }
      button:disabled {
        pointer-events: none;
        background: var(--crowd-paper-sunk);
        color: var(--crowd-ink-soft);
        box-shadow: none;
      }
      .icon {
        width: 26px;
        height: 26px;
      }
    `,
  ];

  /** There is room for one character; more than that is an ellipsis, and told in full by the button's name. */
  private get face(): unknown {
    if (this.icon !== "" || this.label.trim() === "") return authorIcon(this.icon || "unknown");
    const characters = [...new Intl.Segmenter().segment(this.label.trim())];
    return characters.length === 1 ? this.label.trim() : "…";
  }

  protected override render(): unknown {
    return html`<button part="button" type="button" ?disabled=${this.disabled} aria-label=${this.spoken}>${this.face}</button><slot></slot>`;
  }
}

export function defineFab(): void {
  defineElement("crowd-fab", CrowdFab);
}
