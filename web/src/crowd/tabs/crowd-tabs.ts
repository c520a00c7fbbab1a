import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";

/** One page of crowd-tabs. It stays in the form while another is shown, so its fields count. */
export class CrowdTab extends ReactiveElement {
  static override properties = { header: {} };

  static override styles = [
    look,
    css`
      :host {
        display: block;
        padding: 14px 2px;
      }
    `,
  ];

  declare header: string;

  constructor() {
    super();
    this.header = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "tabpanel");
  }

  protected override updated(): void {
    this.setAttribute("aria-label", this.header);
    if (this.parentElement instanceof CrowdTabs) this.parentElement.requestUpdate();
  }

  protected override render(): unknown {
    return html`<slot></slot>`;
  }
}

export class CrowdTabs extends ReactiveElement {
  static override properties = { selected: { type: Number } };

  static override styles = [
    look,
    css`
      :host {
        display: block;
      }
      [role="tablist"] {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
        border-bottom: 1px solid var(--crowd-line);
      }
      [role="tab"] {
        margin-bottom: -1px;
        padding: 9px 18px;
        border: 0;
        border-bottom: 3px solid transparent;
        background: none;
        color: var(--crowd-ink-soft);
        font-weight: 600;
      }
      [role="tab"]:hover {
        color: var(--crowd-ink);
        background: var(--crowd-paper-soft);
      }
      [aria-selected="true"] {
        border-bottom-color: var(--crowd-accent);
        color: var(--crowd-accent);
      }
    `,
  ];

  declare selected: number;

  constructor() {
    super();
    this.selected = 0;
    // A field in another tab that is not filled in must be seen to be filled in.
    this.addEventListener("crowd-reveal", (event) => this.reveal(event.target));
  }

  get tabs(): CrowdTab[] {
    return [...this.children].filter((child): child is CrowdTab => child instanceof CrowdTab);
  }

  reveal(inside: EventTarget | null): void {
    const at = this.tabs.findIndex((tab) => inside instanceof Node && tab.contains(inside));
    if (at < 0) return;
    this.selected = at;
    // At once, for the field is about to get the focus.
    this.showSelected();
  }

  private showSelected(): void {
    this.tabs.forEach((tab, i) => (tab.hidden = i !== this.selected));
  }

  private onKey(event: KeyboardEvent): void {
    const last = this.tabs.length - 1;
    const to = { ArrowRight: this.selected + 1, ArrowLeft: this.selected - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.selected = to < 0 ? last : to > last ? 0 : to;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  }

  protected override updated(): void {
    this.showSelected();
  }

  protected override render(): unknown {
    return html`
      <div role="tablist" @keydown=${(e: KeyboardEvent) => this.onKey(e)}>
        ${this.tabs.map(
          (tab, i) => html`<button role="tab" type="button" aria-selected=${i === this.selected} tabindex=${i === this.selected ? 0 : -1} @click=${() => (this.selected = i)}>${tab.header || `Tab ${i + 1}`}</button>`,
        )}
      </div>
      <slot @slotchange=${() => this.requestUpdate()}></slot>
    `;
  }
}

export function defineTabs(): void {
  defineElement("crowd-tab", CrowdTab);
  defineElement("crowd-tabs", CrowdTabs);
}
