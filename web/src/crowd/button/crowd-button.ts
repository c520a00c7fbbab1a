import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import { defineElement, switchProperty } from "../element/crowd-element.js";
import { buttonLook, look } from "../element/look.js";
import { iconWords, spokenName } from "../element/spoken-name.js";
import { authorIcon } from "./icons.js";

interface HoldingForm extends Element {
  requestSubmit(): void;
  reset(): void;
}

/** A button: by itself for the author's scripts, or with `form-action` for the form around it. */
export class CrowdButton extends ReactiveElement {
  static override properties = {
    disabled: switchProperty,
    loading: switchProperty,
    formAction: { attribute: "form-action" },
    href: {},
    icon: {},
    iconAlign: { attribute: "icon-align" },
    iconUrl: { attribute: "icon-url" },
    target: {},
    variant: {},
    waiting: { attribute: false },
  };

  static override styles = [
    look,
    buttonLook,
    css`
      :host {
        display: inline-block;
      }
      .button {
        width: 100%;
      }
      /* The click then is the host's, which knows what to do with it. */
      .button[disabled] {
        pointer-events: none;
      }
      .button.link {
        min-height: 0;
        padding: 4px;
        border-color: transparent;
        background: none;
        color: var(--crowd-accent);
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .button.icon {
        min-height: 0;
        padding: 6px;
        border-color: transparent;
        background: none;
      }
      .button.end {
        flex-direction: row-reverse;
      }
      svg,
      img {
        width: 18px;
        height: 18px;
        flex: none;
      }
      .spinner {
        width: 16px;
        height: 16px;
        border: 2px solid currentColor;
        border-right-color: transparent;
        border-radius: 50%;
        animation: turn 0.8s linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
    `,
  ];

  declare disabled: boolean;
  declare loading: boolean;
  declare formAction: string;
  declare href: string;
  declare icon: string;
  declare iconAlign: string;
  declare iconUrl: string;
  declare target: string;
  declare variant: string;
  /** The form's answer is on its way. */
  declare waiting: boolean;

  constructor() {
    super();
    this.disabled = false;
    this.loading = false;
    this.formAction = "";
    this.href = "";
    this.icon = "";
    this.iconAlign = "left";
    this.iconUrl = "";
    this.target = "";
    this.variant = "";
    this.waiting = false;
    // On the host and not on the inner button: scripts call element.click().
    this.addEventListener("click", (event) => this.onClick(event));
  }

  private get still(): boolean {
    return this.disabled || this.loading || this.waiting;
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>(".button")?.focus(options);
  }

  private onClick(event: MouseEvent): void {
    if (this.still) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const form = this.closest<HoldingForm>("crowd-form");
    if (!form || (this.formAction !== "submit" && this.formAction !== "reset")) return;
    // After the author's own click handlers, which may prevent it.
    queueMicrotask(() => {
      if (event.defaultPrevented) return;
      if (this.formAction === "submit") form.requestSubmit();
      else form.reset();
    });
  }

  protected override render(): unknown {
    const name = this.spoken();
    const classes = `button ${this.variantClass()} ${this.iconAlign === "right" ? "end" : ""}`;
    if (this.href !== "" && !this.still) {
      return html`<a class=${classes} part="button" href=${this.href} target=${this.target || nothing} rel="noopener noreferrer" aria-label=${name}>${this.content()}</a>`;
    }
    return html`<button class=${classes} part="button" type="button" ?disabled=${this.still} aria-busy=${this.loading || this.waiting} aria-label=${name}>${this.content()}</button>`;
  }

  /** A button with nothing but an icon has a name all the same. */
  private spoken(): string | typeof nothing {
    if ((this.textContent ?? "").trim() !== "" && !this.hasAttribute("aria-label")) return nothing;
    const inner = this.querySelector("iron-icon")?.getAttribute("icon") ?? "";
    return spokenName(this, iconWords(this.icon), iconWords(inner)) || nothing;
  }

  private variantClass(): string {
    if (this.variant === "primary" || this.variant === "link" || this.variant === "icon") return this.variant;
    return this.variant === "" && this.formAction === "submit" ? "primary" : "";
  }

  private content(): unknown {
    if (this.loading || this.waiting) return html`<span class="spinner" aria-hidden="true"></span><slot @slotchange=${() => this.requestUpdate()}></slot>`;
    const picture = this.iconUrl !== "" ? html`<img src=${this.iconUrl} alt="" />` : authorIcon(this.icon);
    if (this.variant === "icon") return html`${picture}<span class="visually-hidden"><slot @slotchange=${() => this.requestUpdate()}></slot></span>`;
    return html`${picture}<slot @slotchange=${() => this.requestUpdate()}></slot>`;
  }
}

export function defineButton(): void {
  defineElement("crowd-button", CrowdButton);
}
