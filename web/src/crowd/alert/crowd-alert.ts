import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";
import { defineElement, switchProperty } from "../element/crowd-element.js";
import { look } from "../element/look.js";

const ICONS: Readonly<Record<string, string>> = { info: "info", success: "check-circle", warning: "warning", error: "error" };

/** A message in the page. */
export class CrowdAlert extends ReactiveElement {
  static override properties = { type: {}, dismissible: switchProperty };

  static override styles = [
    look,
    css`
      :host {
        display: block;
        margin: 10px 0;
      }
      .alert {
        --tone: var(--crowd-accent);
        --ground: var(--crowd-accent-soft);
        display: flex;
        align-items: flex-start;
        gap: 10px;
        padding: 10px 14px;
        border: 1px solid var(--tone);
        border-left-width: 4px;
        border-radius: var(--crowd-radius);
        background: var(--ground);
      }
      .success {
        --tone: var(--crowd-success);
        --ground: var(--crowd-success-soft);
      }
      .warning {
        --tone: var(--crowd-warning);
        --ground: var(--crowd-warning-soft);
      }
      .error {
        --tone: var(--crowd-danger);
        --ground: var(--crowd-danger-soft);
      }
      .text {
        flex: 1;
        min-width: 0;
        padding-top: 1px;
      }
      svg {
        flex: none;
        width: 22px;
        height: 22px;
        color: var(--tone);
      }
      button {
        display: grid;
        place-items: center;
        width: 26px;
        height: 26px;
        padding: 0;
        border: 0;
        border-radius: 4px;
        background: none;
      }
      button svg {
        width: 18px;
        color: inherit;
      }
      button:hover {
        background: rgb(0 0 0 / 0.08);
      }
    `,
  ];

  declare type: string;
  declare dismissible: boolean;

  constructor() {
    super();
    this.type = "info";
    this.dismissible = false;
  }

  private dismiss(): void {
    this.dispatchEvent(new Event("dismiss", { bubbles: true }));
    this.remove();
  }

  protected override render(): unknown {
    const type = this.type in ICONS ? this.type : "info";
    return html`
      <div class="alert ${type}" role=${type === "error" || type === "warning" ? "alert" : "status"}>
        ${icon(ICONS[type] ?? "info")}
        <div class="text"><slot></slot></div>
        ${this.dismissible ? html`<button type="button" aria-label="Close" @click=${() => this.dismiss()}>${icon("close")}</button>` : nothing}
      </div>
    `;
  }
}

export function defineAlert(): void {
  defineElement("crowd-alert", CrowdAlert);
}
