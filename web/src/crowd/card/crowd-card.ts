import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { mediaReports } from "../form/media.js";

/** A box around content, with a picture and a heading if wished. */
export class CrowdCard extends ReactiveElement {
  static override properties = { heading: {}, image: {} };

  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
        overflow: hidden;
        border: 1px solid var(--crowd-line);
        border-radius: 8px;
        background: var(--crowd-paper);
        box-shadow: 0 1px 3px rgb(0 0 0 / 0.08);
        vertical-align: top;
      }
      img {
        display: block;
        max-width: 100%;
      }
      h3 {
        margin: 0;
        padding: 14px 16px 4px;
        font-size: 17px;
      }
    `,
  ];

  declare heading: string;
  declare image: string;

  constructor() {
    super();
    this.heading = "";
    this.image = "";
  }

  protected override render(): unknown {
    return html`
      ${this.image ? html`<img src=${this.image} alt=${this.heading} @error=${() => mediaReports.report(this.image)} />` : nothing} ${this.heading ? html`<h3>${this.heading}</h3>` : nothing}
      <slot></slot>
    `;
  }
}

export function defineCard(): void {
  defineElement("crowd-card", CrowdCard);
}
