import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";
import { defineElement, reflectedSwitch } from "../element/crowd-element.js";
import { look } from "../element/look.js";

const SHOWN_MS = 3000;

/** A message that appears at the bottom of the window and goes again by itself. */
export class CrowdToast extends ReactiveElement {
  static override properties = { duration: { type: Number }, text: {}, opened: reflectedSwitch };

  static override styles = [
    look,
    css`
      :host {
        position: fixed;
        z-index: 20;
        left: 16px;
        bottom: calc(16px + var(--crowd-footer, 0px));
        display: flex;
        align-items: center;
        gap: 12px;
        max-width: min(520px, calc(100vw - 32px));
        min-height: 48px;
        padding: 8px 8px 8px 20px;
        border-radius: var(--crowd-radius);
        background: var(--crowd-ink);
        color: var(--crowd-paper);
        box-shadow: 0 6px 24px rgb(0 0 0 / 0.35);
        overflow-wrap: anywhere;
      }
      :host(:not([opened])),
      :host([opened="false"]) {
        display: none;
      }
      .text {
        flex: 1;
        min-width: 0;
      }
      button {
        display: grid;
        flex: none;
        place-items: center;
        width: 32px;
        height: 32px;
        padding: 0;
        border: 0;
        border-radius: 50%;
        background: none;
      }
      button:hover {
        background: color-mix(in srgb, currentColor 18%, transparent);
      }
      button:focus-visible {
        outline-color: currentColor;
      }
    `,
  ];

  declare duration: number;
  declare text: string;
  declare opened: boolean;

  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.duration = SHOWN_MS;
    this.text = "";
    this.opened = false;
    // Whoever reads it or goes to its button is given the time.
    for (const type of ["pointerenter", "focusin"]) this.addEventListener(type, () => clearTimeout(this.timer));
    for (const type of ["pointerleave", "focusout"]) this.addEventListener(type, () => this.count());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "status");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** Shows the message; another may be given for once. */
  show(message?: string | { text?: string; duration?: number }): void {
    const { text, duration } = typeof message === "string" ? { text: message, duration: undefined } : (message ?? {});
    if (text !== undefined) this.text = text;
    if (duration !== undefined) this.duration = duration;
    this.opened = true;
    this.count();
  }

  open(): void {
    this.show();
  }

  hide(): void {
    this.opened = false;
  }

  close(): void {
    this.hide();
  }

  toggle(): void {
    if (this.opened) this.hide();
    else this.show();
  }

  /** With no duration, or one that is not above zero, it stays until it is closed. */
  private count(): void {
    clearTimeout(this.timer);
    if (this.opened && this.duration > 0 && Number.isFinite(this.duration)) this.timer = setTimeout(() => this.hide(), this.duration);
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (!changed.has("opened") && !changed.has("duration")) return;
    this.count();
    if (!changed.has("opened")) return;
    // One at a time.
    if (this.opened) for (const other of document.querySelectorAll("crowd-toast")) if (other !== this && other instanceof CrowdToast) other.hide();
    if (this.opened || changed.get("opened") === true) this.dispatchEvent(new Event(this.opened ? "open" : "close"));
  }

  protected override render(): unknown {
    return html`
      <span class="text">${this.text}<slot></slot></span>
      <button type="button" aria-label="Close" @click=${() => this.hide()}>${icon("close")}</button>
    `;
  }
}

export function defineToast(): void {
  defineElement("crowd-toast", CrowdToast);
}
