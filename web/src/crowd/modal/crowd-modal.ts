import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { defineElement, reflectedSwitch } from "../element/crowd-element.js";
import { buttonLook, look } from "../element/look.js";
import { dialogLook } from "../instructions/instructions-pane.js";

/** A link or button that opens what lies within it in a window above the page. */
export class CrowdModal extends ReactiveElement {
  static override properties = { linkText: { attribute: "link-text" }, linkType: { attribute: "link-type" }, opened: reflectedSwitch };

  static override styles = [
    look,
    buttonLook,
    dialogLook,
    css`
      :host {
        display: inline-block;
      }
      .modal-body > header {
        justify-content: flex-end;
        padding: 8px 12px;
        border-bottom: 0;
      }
      .modal-content {
        padding-top: 0;
      }
    `,
  ];

  declare linkText: string;
  declare linkType: string;
  declare opened: boolean;

  constructor() {
    super();
    this.linkText = "";
    this.linkType = "link";
    this.opened = false;
    // A field within that is not filled in must be seen to be filled in.
    this.addEventListener("crowd-reveal", () => {
      this.opened = true;
      this.settle();
    });
  }

  open(): void {
    this.opened = true;
  }

  close(): void {
    this.opened = false;
  }

  private get dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  protected override updated(): void {
    this.settle();
  }

  private settle(): void {
    const dialog = this.dialog;
    if (!dialog || dialog.open === this.opened) return;
    if (this.opened) dialog.showModal();
    else dialog.close();
  }

  private onClose(): void {
    this.opened = false;
    this.dispatchEvent(new Event("close"));
  }

  private onClick(event: Event): void {
    if (event.target === this.dialog) this.close();
  }

  protected override render(): unknown {
    const text = this.linkText || "Click to open modal";
    return html`
      <button class=${this.linkType === "button" ? "button" : "link"} part="trigger" type="button" aria-haspopup="dialog" @click=${() => this.open()}>${text}</button>
      <dialog class="modal" aria-label=${text} @close=${() => this.onClose()} @click=${(event: Event) => this.onClick(event)}>
        <div class="modal-body">
          <header><button class="close" type="button" aria-label="Close" @click=${() => this.close()}>✕</button></header>
          <div class="modal-content"><slot></slot></div>
        </div>
      </dialog>
    `;
  }
}

export function defineModal(): void {
  defineElement("crowd-modal", CrowdModal);
}
