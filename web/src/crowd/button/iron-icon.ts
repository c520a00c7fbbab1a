import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { authorIcon } from "./icons.js";

/** An icon by its name, as templates put it within buttons. */
export class IronIcon extends ReactiveElement {
  static override properties = { icon: {} };

  static override styles = css`
    :host {
      display: inline-flex;
      vertical-align: middle;
    }
    .icon {
      width: 24px;
      height: 24px;
    }
  `;

  declare icon: string;

  constructor() {
    super();
    this.icon = "";
  }

  protected override render(): unknown {
    return html`${authorIcon(this.icon)}<slot></slot>`;
  }
}

export function defineIronIcon(): void {
  defineElement("iron-icon", IronIcon);
}
