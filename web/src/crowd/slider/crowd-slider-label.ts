import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";

/** A mark below a slider, at the value that its `position` says. A click on it chooses that value. */
export class CrowdSliderLabel extends ReactiveElement {
  static override properties = { position: { type: Number, reflect: true } };

  static override styles = css`
    :host {
      display: block;
      max-width: 12em;
      padding: 2px 4px;
      font-size: 13px;
      line-height: 1.35;
      text-align: center;
      cursor: pointer;
    }
  `;

  declare position: number;

  constructor() {
    super();
    this.position = NaN;
  }

  protected override updated(): void {
    this.dispatchEvent(new Event("crowd-slider-label", { bubbles: true }));
  }

  protected override render(): unknown {
    return html`<slot></slot>`;
  }
}

export function defineSliderLabel(): void {
  defineElement("crowd-slider-label", CrowdSliderLabel);
}
