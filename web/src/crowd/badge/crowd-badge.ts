import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { authorIcon } from "../button/icons.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";

/** A small mark at the upper right corner of another element, or of the one that it stands in. */
export class CrowdBadge extends ReactiveElement {
  static override properties = { for: {}, icon: {}, label: {} };

  static override styles = [
    look,
    css`
      :host {
        display: contents;
      }
      .badge {
        position: absolute;
        z-index: 3;
        top: 0;
        left: 0;
        display: grid;
        place-items: center;
        min-width: 22px;
        height: 22px;
        padding: 0 5px;
        border-radius: 11px;
        background: var(--crowd-danger);
        color: var(--crowd-paper);
        font-size: 12px;
        font-weight: 700;
        line-height: 1;
        white-space: nowrap;
        pointer-events: none;
      }
      .badge.pictured {
        width: 22px;
        padding: 0;
      }
      .icon {
        width: 15px;
        height: 15px;
      }
    `,
  ];

  declare for: string;
  declare icon: string;
  declare label: string;

  private target: Element | null = null;
  private abort = new AbortController();
  private readonly sizes = new ResizeObserver(() => this.place());

  constructor() {
    super();
    this.for = "";
    this.icon = "";
    this.label = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.abort = new AbortController();
    // Whatever is scrolled may hold the target and not the badge.
    addEventListener("scroll", () => this.place(), { capture: true, passive: true, signal: this.abort.signal });
    this.sizes.observe(document.body);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.abort.abort();
    this.sizes.disconnect();
    this.target = null;
  }

  protected override updated(): void {
    this.place();
  }

  private find(): Element | null {
    if (this.for === "") return this.parentElement;
    return (this.getRootNode() as Document | ShadowRoot).getElementById(this.for);
  }

  /** The badge's middle comes over the corner. The element may come into the page after the badge. */
  private place(): void {
    const badge = this.renderRoot.querySelector<HTMLElement>(".badge");
    if (!badge) return;
    const target = this.find();
    if (target !== this.target) {
      if (this.target) this.sizes.unobserve(this.target);
      if (target) this.sizes.observe(target);
      this.target = target;
    }
    badge.hidden = !target;
    if (!target) return;
    badge.style.translate = "none";
    const corner = target.getBoundingClientRect();
    const own = badge.getBoundingClientRect();
    const right = Math.min(corner.right - own.width / 2, document.documentElement.clientWidth - own.width);
    badge.style.translate = `${right - own.left}px ${Math.max(corner.top - own.height / 2, -scrollY) - own.top}px`;
  }

  protected override render(): unknown {
    const pictured = this.icon !== "";
    return html`<span class="badge ${pictured ? "pictured" : ""}" part="badge">${pictured ? authorIcon(this.icon) : this.label}</span><slot></slot>`;
  }
}

export function defineBadge(): void {
  defineElement("crowd-badge", CrowdBadge);
}
