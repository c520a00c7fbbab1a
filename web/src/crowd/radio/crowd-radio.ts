import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues } from "../../kit/reactive.js";
import { ToggleField } from "../checkbox/toggle-field.js";
import { defineElement } from "../element/crowd-element.js";
import { look } from "../element/look.js";
import { spokenName } from "../element/spoken-name.js";

/** One choice. Only within a crowd-radio-group does choosing it let go of the others. */
export class CrowdRadioButton extends ToggleField {
  static override properties: Record<string, PropertyDeclaration> = { tabStop: { state: true } };

  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
        margin: 2px 16px 2px 0;
      }
      .radio {
        display: inline-flex;
        align-items: flex-start;
        gap: 9px;
        padding: 4px 2px;
        border-radius: 4px;
        cursor: pointer;
      }
      .dot {
        flex: none;
        width: 18px;
        height: 18px;
        margin-top: 2.5px;
        border: 2px solid var(--crowd-line-strong);
        border-radius: 50%;
        background: var(--crowd-paper);
      }
      [aria-checked="true"] .dot {
        border: 5.5px solid var(--crowd-accent);
      }
      [aria-disabled="true"] {
        color: var(--crowd-ink-soft);
        opacity: 0.7;
        cursor: not-allowed;
      }
    `,
  ];

  /** Whether Tab reaches it: in a group only one button is a stop, arrows go to the others. */
  declare tabStop: boolean;

  constructor() {
    super();
    this.tabStop = true;
  }

  get group(): CrowdRadioGroup | null {
    return this.closest<CrowdRadioGroup>("crowd-radio-group");
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>(".radio")?.focus(options);
  }

  choose(): void {
    if (this.disabled || this.checked) return;
    this.checked = true;
    this.changed();
  }

  override problem(): string {
    const group = this.group;
    const chosen = group ? group.buttons.some((button) => button.checked) : this.checked;
    return this.required && !chosen ? "Please choose one." : "";
  }

  private onClick(): void {
    // By itself a radio button can be let go again, or one could never undo a slip.
    if (this.checked && !this.group && !this.disabled) {
      this.checked = false;
      this.changed();
    } else this.choose();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== " ") return;
    event.preventDefault();
    this.onClick();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("checked") || changed.has("preset")) this.group?.settle(this);
  }

  protected override render(): unknown {
    return html`
      <span
        class="radio"
        role="radio"
        tabindex=${this.disabled || !this.tabStop ? -1 : 0}
        aria-checked=${this.checked}
        aria-disabled=${this.disabled}
        aria-describedby="problem"
        aria-label=${spokenName(this, this.textContent ?? "", this.value, this.name) || nothing}
        @click=${() => this.onClick()}
        @keydown=${(event: KeyboardEvent) => this.onKey(event)}
      >
        <span class="dot" aria-hidden="true"></span><span><slot @slotchange=${() => this.requestUpdate()}></slot></span>
      </span>
      <p class="problem" id="problem" role="alert">${this.message}</p>
    `;
  }
}

/** Of the radio buttons in it at most one is chosen. */
export class CrowdRadioGroup extends ReactiveElement {
  static override styles = [
    look,
    css`
      :host {
        display: block;
        margin: 8px 0;
      }
    `,
  ];

  constructor() {
    super();
    this.addEventListener("keydown", (event) => this.onKey(event));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasAttribute("role")) this.setAttribute("role", "radiogroup");
  }

  get buttons(): CrowdRadioButton[] {
    return [...this.querySelectorAll("crowd-radio-button")].filter((e): e is CrowdRadioButton => e instanceof CrowdRadioButton);
  }

  /** Lets go of the others after one was chosen, and keeps one stop for Tab. */
  settle(turned: CrowdRadioButton): void {
    const buttons = this.buttons;
    if (turned.checked) for (const button of buttons) if (button !== turned && button.checked) button.checked = false;
    const stop = buttons.find((button) => button.checked) ?? buttons.find((button) => !button.disabled);
    for (const button of buttons) button.tabStop = button === stop;
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const buttons = this.buttons.filter((button) => !button.disabled);
    const at = buttons.findIndex((button) => event.composedPath().includes(button));
    const next = buttons[(at + step + buttons.length) % buttons.length];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.choose();
    next.focus();
  }

  private onSlotChange(): void {
    const first = this.buttons[0];
    if (first) this.settle(this.buttons.find((button) => button.checked) ?? first);
  }

  protected override render(): unknown {
    return html`<slot @slotchange=${() => this.onSlotChange()}></slot>`;
  }
}

export function defineRadio(): void {
  defineElement("crowd-radio-button", CrowdRadioButton);
  defineElement("crowd-radio-group", CrowdRadioGroup);
}
