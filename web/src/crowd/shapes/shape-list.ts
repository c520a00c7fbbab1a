import { ReactiveElement, css, html } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { icon } from "../button/icons.js";
import type { Labels } from "../../kit/labels.js";
import type { Shape, ShapeKind } from "../../kit/shape.js";

const ROW = 32;
const SPARE = 6;

/**
 * The shapes as a list, for the keyboard, for screen readers, and for finding one
 * among many. Only the rows in sight exist, so thousands cost what twenty do;
 * `aria-setsize` and `aria-posinset` tell the true numbers.
 */
export class ShapeList extends ReactiveElement {
  static override properties = {
    shapes: { attribute: false },
    selected: { attribute: false },
    palette: { attribute: false },
    kind: { attribute: false },
    name: { attribute: false },
    version: { attribute: false },
    top: { state: true },
    room: { state: true },
  };

  static override styles = [
    look,
    css`
      :host {
        display: block;
        min-height: 96px;
        overflow: auto;
        font-size: 14px;
      }
      ul {
        position: relative;
        margin: 0;
        padding: 0;
        list-style: none;
        outline-offset: -2px;
      }
      li {
        position: absolute;
        left: 0;
        right: 0;
        display: flex;
        align-items: center;
        gap: 8px;
        height: ${ROW}px;
        padding: 0 2px 0 8px;
        border-radius: 4px;
        cursor: pointer;
      }
      li:hover {
        background: var(--crowd-paper-soft);
      }
      li[aria-selected="true"] {
        background: var(--crowd-accent-soft);
      }
      .swatch {
        flex: none;
        width: 10px;
        height: 10px;
        border-radius: 2px;
      }
      .name {
        flex: 1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .size {
        color: var(--crowd-ink-soft);
        font-size: 12px;
        font-variant-numeric: tabular-nums;
      }
      .drop {
        display: grid;
        place-items: center;
        width: 26px;
        height: 26px;
        border-radius: 4px;
        color: var(--crowd-ink-soft);
        opacity: 0;
      }
      li:hover .drop,
      li[aria-selected="true"] .drop {
        opacity: 1;
      }
      .drop:hover {
        color: var(--crowd-danger);
        background: var(--crowd-danger-soft);
      }
      svg {
        width: 16px;
        height: 16px;
      }
    `,
  ];

  declare shapes: readonly Shape[];
  declare selected: number | null;
  declare palette: Labels | null;
  declare kind: ShapeKind<Shape> | null;
  /** What the shapes are called: "Boxes". */
  declare name: string;
  /** Another number when the labels or their colours changed. */
  declare version: number;
  declare private top: number;
  declare private room: number;

  onPick: (id: number) => void = () => {};
  onRemove: (id: number) => void = () => {};

  private readonly observer = new ResizeObserver(() => (this.room = this.clientHeight));

  constructor() {
    super();
    this.shapes = [];
    this.selected = null;
    this.palette = null;
    this.kind = null;
    this.name = "";
    this.version = 0;
    this.top = 0;
    this.room = 300;
    this.addEventListener("scroll", () => (this.top = this.scrollTop), { passive: true });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has("selected") && this.selected !== null) this.bringIntoSight();
  }

  private bringIntoSight(): void {
    const at = this.shapes.findIndex((shape) => shape.id === this.selected);
    if (at < 0) return;
    if (at * ROW < this.scrollTop) this.scrollTop = at * ROW;
    else if ((at + 1) * ROW > this.scrollTop + this.clientHeight) this.scrollTop = (at + 1) * ROW - this.clientHeight;
  }

  private onKey(event: KeyboardEvent): void {
    const at = this.shapes.findIndex((shape) => shape.id === this.selected);
    const last = this.shapes.length - 1;
    const page = Math.max(1, Math.floor(this.room / ROW) - 1);
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? last : at - 1, Home: 0, End: last, PageDown: at + page, PageUp: at - page }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const shape = this.shapes[Math.min(last, Math.max(0, to))];
    if (shape) this.onPick(shape.id);
  }

  protected override render(): unknown {
    const first = Math.max(0, Math.floor(this.top / ROW) - SPARE);
    const last = Math.min(this.shapes.length, Math.ceil((this.top + this.room) / ROW) + SPARE);
    const shown = this.shapes.slice(first, last);
    const active = shown.some((shape) => shape.id === this.selected) ? `shape-${this.selected}` : "";
    return html`
      <ul role="listbox" tabindex="0" aria-label=${this.name} aria-activedescendant=${active} style="height: ${this.shapes.length * ROW}px" @keydown=${(e: KeyboardEvent) => this.onKey(e)}>
        ${shown.map((shape, i) => this.row(shape, first + i))}
      </ul>
    `;
  }

  private row(shape: Shape, at: number): unknown {
    return html`
      <li
        id="shape-${shape.id}"
        role="option"
        aria-label=${this.kind?.spoken(shape) ?? ""}
        aria-selected=${shape.id === this.selected}
        aria-setsize=${this.shapes.length}
        aria-posinset=${at + 1}
        style="top: ${at * ROW}px"
        @click=${() => this.onPick(shape.id)}
      >
        <span class="swatch" style="background: ${this.palette?.colourOf(shape.label) ?? ""}"></span>
        <span class="name">${shape.label}</span>
        <span class="size">${this.kind?.brief(shape)}</span>
        <span class="drop" title="Delete" aria-hidden="true" @click=${(e: Event) => this.drop(e, shape.id)}>${icon("delete")}</span>
      </li>
    `;
  }

  private drop(event: Event, id: number): void {
    event.stopPropagation();
    this.onRemove(id);
  }
}

export function defineShapeList(): void {
  defineElement("fiducial-shape-list", ShapeList);
}
