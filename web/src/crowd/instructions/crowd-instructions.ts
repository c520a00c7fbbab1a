import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { buttonLook, look } from "../element/look.js";
import { regionOf } from "../element/region.js";
import { dialogLook } from "./instructions-pane.js";

const TABS = [
  { title: "Summary", regions: ["short-summary"] },
  { title: "Detailed instructions", regions: ["detailed-instructions"] },
  { title: "Examples", regions: ["positive-example", "negative-example"] },
] as const;

/** A link or button that opens instructions with a summary, details, and good and bad examples. */
export class CrowdInstructions extends ReactiveElement {
  static override properties = { linkText: { attribute: "link-text" }, linkType: { attribute: "link-type" }, page: { state: true } };

  static override styles = [
    look,
    buttonLook,
    dialogLook,
    css`
      :host {
        display: block;
        margin: 8px 0;
      }
      [role="tablist"] {
        display: flex;
        gap: 4px;
        margin: 0 -20px 12px;
        padding: 0 20px;
        border-bottom: 1px solid var(--crowd-line);
      }
      [role="tab"] {
        margin-bottom: -1px;
        padding: 9px 14px;
        border: 0;
        border-bottom: 3px solid transparent;
        background: none;
        color: var(--crowd-ink-soft);
        font-weight: 600;
      }
      [aria-selected="true"] {
        border-bottom-color: var(--crowd-accent);
        color: var(--crowd-accent);
      }
      .examples {
        display: grid;
        gap: 16px;
      }
      .examples h3 {
        margin: 0 0 4px;
        font-size: 15px;
      }
      ::slotted(positive-example),
      ::slotted(negative-example) {
        margin-bottom: 10px;
        padding: 4px 14px;
        border-left: 4px solid var(--crowd-success);
        border-radius: 4px;
        background: var(--crowd-success-soft);
      }
      ::slotted(negative-example) {
        border-left-color: var(--crowd-danger);
        background: var(--crowd-danger-soft);
      }
    `,
  ];

  declare linkText: string;
  declare linkType: string;
  declare private page: number;

  private readonly observer = new MutationObserver(() => this.requestUpdate());

  constructor() {
    super();
    this.linkText = "";
    this.linkType = "link";
    this.page = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this, { childList: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  private get modal(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  private onKey(event: KeyboardEvent, tabs: number): void {
    const to = { ArrowRight: this.page + 1, ArrowLeft: this.page - 1, Home: 0, End: tabs - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.page = (to + tabs) % tabs;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  }

  private closeOutside(event: Event): void {
    if (event.target === this.modal) this.modal?.close();
  }

  protected override render(): unknown {
    const tabs = TABS.filter(({ regions }) => regions.some((tag) => regionOf(this, tag)));
    const current = tabs[Math.min(this.page, tabs.length - 1)];
    return html`
      <button class=${this.linkType === "button" ? "button" : "link"} type="button" @click=${() => this.modal?.showModal()}>${this.linkText || "Click for instructions"}</button>
      <dialog class="modal" aria-label="Instructions" @click=${(e: Event) => this.closeOutside(e)}>
        <div class="modal-body">
          <header>
            <h2>Instructions</h2>
            <button class="close" type="button" aria-label="Close" @click=${() => this.modal?.close()}>✕</button>
          </header>
          <div class="modal-content">
            <div role="tablist" aria-label="Instructions" @keydown=${(e: KeyboardEvent) => this.onKey(e, tabs.length)}>
              ${tabs.map((tab, i) => html`<button role="tab" type="button" aria-selected=${tab === current} tabindex=${tab === current ? 0 : -1} @click=${() => (this.page = i)}>${tab.title}</button>`)}
            </div>
            ${TABS.map((tab) => html`<div role="tabpanel" aria-label=${tab.title} tabindex="0" ?hidden=${tab !== current}>${tab.title === "Examples" ? this.examples() : html`<slot name=${tab.regions[0]}></slot>`}</div>`)}
          </div>
        </div>
      </dialog>
    `;
  }

  private examples(): TemplateResult {
    const part = (tag: string, title: string): unknown => (regionOf(this, tag) ? html`<div><h3>${title}</h3><slot name=${tag}></slot></div>` : nothing);
    return html`<div class="examples">${part("positive-example", "Good examples")}${part("negative-example", "Bad examples")}</div>`;
  }
}

export function defineInstructions(): void {
  defineElement("crowd-instructions", CrowdInstructions);
}
