import { ReactiveElement, css, html, nothing } from "../../kit/reactive.js";
import { CrowdButton } from "../button/crowd-button.js";
import { defineElement } from "../element/crowd-element.js";
import { buttonLook, look } from "../element/look.js";
import { ToolElement } from "../element/tool-element.js";
import { InstructionsPane, instructionsLook } from "../instructions/instructions-pane.js";
import type { Answer } from "./answer.pure.js";
import { checkAll, collect, resetAll } from "./collect.js";
import type { FrameForm, FrameSession } from "./frame.js";
import { showPreview } from "./preview.js";

const SUBMIT_BUTTONS = 'crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]';

/**
 * The form around a task. Collects what all named fields below it hold and
 * hands it to the portal; adds a Submit button when the author gave none.
 *
 * Fires `submit` (so `onsubmit` is a property like any form's) before fields are
 * checked and collected: scripts set hidden fields in it, or prevent it.
 */
export class CrowdForm extends ReactiveElement implements FrameForm {
  static override properties = {
    busy: { state: true },
    notice: { state: true },
    ownButton: { state: true },
    holdsTool: { state: true },
    over: { attribute: false },
    nested: { type: Boolean, reflect: true },
  };

  static override styles = [
    look,
    buttonLook,
    instructionsLook,
    css`
      :host {
        --crowd-footer: 61px;
        display: flex;
        flex-direction: column;
        min-height: 100vh;
      }
      :host([nested]) {
        --crowd-footer: inherit;
        min-height: 0;
      }
      :host(.own-button) {
        --crowd-footer: 0px;
      }
      .layout {
        display: flex;
        flex: 1;
        align-items: stretch;
        min-width: 0;
      }
      .content {
        flex: 1;
        min-width: 0;
        padding: 16px 20px;
      }
      .content.tool {
        padding: 0;
      }
      footer {
        position: sticky;
        bottom: 0;
        z-index: 5;
        display: flex;
        align-items: center;
        justify-content: flex-end;
        gap: 16px;
        min-height: 61px;
        padding: 10px 20px;
        border-top: 1px solid var(--crowd-line);
        background: var(--crowd-paper);
      }
      footer .button {
        min-width: 120px;
      }
      .problem {
        margin: 0;
        font-weight: 600;
      }
      @media (max-width: 760px) {
        .layout {
          flex-direction: column;
        }
        .instructions {
          width: auto;
          border-right: 0;
          border-bottom: 1px solid var(--crowd-line);
        }
      }
    `,
  ];

  /** Set once by the bundle, before any element is created. */
  static session: FrameSession | null = null;

  declare private busy: boolean;
  declare private notice: string;
  declare private ownButton: boolean;
  declare private holdsTool: boolean;

  /** What the form speaks for when it stands within an element's shadow tree: more than its own children. */
  declare over: ParentNode | null;
  /** It stands within another crowd-form, which does the submitting. */
  declare nested: boolean;

  private readonly instructions = new InstructionsPane(this);
  private readonly observer = new MutationObserver(() => this.survey());

  constructor() {
    super();
    this.busy = false;
    this.notice = "";
    this.ownButton = false;
    this.holdsTool = false;
    this.over = null;
    this.nested = false;
    this.addEventListener("submit", (event) => this.onNativeSubmit(event));
    this.addEventListener("click", (event) => this.onClick(event));
  }

  get root(): ParentNode {
    return this.over ?? this;
  }

  /** Where scripts put further fields. */
  get form(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this, { childList: true, subtree: true, attributeFilter: ["form-action", "type"] });
    this.survey();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  /** What the form would hand in now. */
  get value(): Answer {
    return collect(this.root);
  }

  /** Hands the answer in without asking `onsubmit`, as a form's own submit() does; a script may call it from there. */
  submit(): void {
    if (this.over instanceof CrowdForm) this.over.submit();
    if (this.busy || this.nested) return;
    const verdict = checkAll(this.root);
    this.notice = verdict.message;
    if (verdict.ok) CrowdForm.session?.submit(this, collect(this.root));
  }

  requestSubmit(): void {
    if (this.busy) return;
    if (this.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }))) this.submit();
  }

  reset(): void {
    resetAll(this.root);
    this.notice = "";
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
    for (const button of this.querySelectorAll('crowd-button[form-action="submit"]')) if (button instanceof CrowdButton) button.waiting = busy;
  }

  showMessage(message: string): void {
    this.notice = message;
  }

  preview(answer: Answer): void {
    showPreview(answer);
  }

  /** A <form> of the author's within ours: its submission is ours, unless the author prevents it. */
  private onNativeSubmit(event: SubmitEvent): void {
    if (event.target === this) return;
    event.stopImmediatePropagation();
    const prevented = event.defaultPrevented;
    event.preventDefault();
    if (!prevented) this.requestSubmit();
  }

  /** A submit button of the author's that belongs to no <form>. */
  private onClick(event: MouseEvent): void {
    const button = event.target instanceof Element ? event.target.closest("button, input") : null;
    if (!button || event.defaultPrevented || !button.matches('button[type="submit"], input[type="submit"]')) return;
    if ((button as HTMLButtonElement | HTMLInputElement).form === null) this.requestSubmit();
  }

  private survey(): void {
    this.ownButton = this.querySelector(SUBMIT_BUTTONS) !== null;
    this.holdsTool = [...this.children].some((child) => child instanceof ToolElement);
    this.classList.toggle("own-button", this.ownButton);
  }

  protected override render(): unknown {
    return html`
      <div class="layout">
        ${this.instructions.pane()}
        <div class="content ${this.holdsTool || this.over ? "tool" : ""}"><slot></slot></div>
      </div>
      ${this.instructions.dialog()} ${this.footer()}
    `;
  }

  private footer(): unknown {
    if (this.nested || (this.ownButton && this.notice === "")) return nothing;
    return html`
      <footer>
        <p class="problem" role="alert">${this.notice}</p>
        ${this.ownButton ? nothing : html`<button class="button primary" type="button" ?disabled=${this.busy} @click=${() => this.requestSubmit()}>${this.busy ? "Submitting…" : "Submit"}</button>`}
      </footer>
    `;
  }
}

export function defineForm(): void {
  defineElement("crowd-form", CrowdForm);
}
