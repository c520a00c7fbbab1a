import { css, html, nothing } from "../../kit/reactive.js";
import type { ReactiveController, ReactiveElement, TemplateResult } from "../../kit/reactive.js";
import { regionOf } from "../element/region.js";

/**
 * The instructions of an element: the short ones in a pane at its side, the
 * full ones in a dialog. Both are regions in the light tree and may come, go
 * and change while the worker works.
 *
 * The class names that begin with "awsui" are those by which public templates
 * reach in to change widths.
 */
export class InstructionsPane implements ReactiveController {
  /** Above the task, as on a phone or at twice the size, they would push it out of sight. */
  private readonly roomy = innerWidth > 820;
  private readonly observer = new MutationObserver(() => this.host.requestUpdate());

  constructor(private readonly host: ReactiveElement) {
    host.addController(this);
  }

  hostConnected(): void {
    this.observer.observe(this.host, { childList: true });
  }

  hostDisconnected(): void {
    this.observer.disconnect();
  }

  get present(): boolean {
    return regionOf(this.host, "short-instructions") !== null || regionOf(this.host, "full-instructions") !== null;
  }

  pane(): TemplateResult | typeof nothing {
    if (!this.present) return nothing;
    const short = regionOf(this.host, "short-instructions");
    const full = regionOf(this.host, "full-instructions");
    return html`
      <aside class="instructions awsui-app-layout__navigation" aria-label="Instructions">
        <details ?open=${this.roomy}>
          <summary>${short?.getAttribute("header") ?? "Instructions"}</summary>
          <slot name="short-instructions"></slot>
          ${full ? html`<button class="link" type="button" @click=${() => this.open()}>View full instructions</button>` : nothing}
        </details>
      </aside>
    `;
  }

  dialog(): TemplateResult | typeof nothing {
    const full = regionOf(this.host, "full-instructions");
    if (!full) return nothing;
    return html`
      <dialog class="modal awsui-modal-dialog" aria-labelledby="full-title" @click=${(event: Event) => this.closeOutside(event)}>
        <div class="modal-body">
          <header>
            <h2 id="full-title">${full.getAttribute("header") ?? "Instructions"}</h2>
            <button class="close" type="button" aria-label="Close" @click=${() => this.modal?.close()}>✕</button>
          </header>
          <div class="modal-content"><slot name="full-instructions"></slot></div>
        </div>
      </dialog>
    `;
  }

  private get modal(): HTMLDialogElement | null {
    return this.host.renderRoot.querySelector<HTMLDialogElement>("dialog.awsui-modal-dialog");
  }

  private open(): void {
    this.modal?.showModal();
  }

  private closeOutside(event: Event): void {
    if (event.target === this.modal) this.modal?.close();
  }
}

export const dialogLook = css`
  dialog.modal {
    width: min(720px, 92vw);
    max-width: 92vw;
    max-height: 86vh;
    padding: 0;
    border: 1px solid var(--crowd-line);
    border-radius: 10px;
    background: var(--crowd-paper);
    color: var(--crowd-ink);
    box-shadow: 0 18px 60px rgb(0 0 0 / 0.35);
  }
  dialog.modal::backdrop {
    background: rgb(10 14 20 / 0.5);
  }
  .modal-body > header {
    position: sticky;
    top: 0;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 16px;
    padding: 14px 20px;
    border-bottom: 1px solid var(--crowd-line);
    background: var(--crowd-paper);
  }
  .modal-body h2 {
    margin: 0;
    font-size: 18px;
  }
  .modal-content {
    padding: 8px 20px 20px;
  }
  .close {
    width: 32px;
    height: 32px;
    border: 0;
    border-radius: var(--crowd-radius);
    background: none;
    color: var(--crowd-ink-soft);
    font-size: 16px;
  }
  .close:hover {
    background: var(--crowd-paper-soft);
    color: var(--crowd-ink);
  }
`;

export const instructionsLook = css`
  ${dialogLook}
  .instructions {
    width: 280px;
    flex: none;
    padding: 16px 20px;
    overflow: auto;
    border-right: 1px solid var(--crowd-line);
    background: var(--crowd-paper-soft);
  }
  .instructions summary {
    margin-bottom: 6px;
    font-size: 13px;
    font-weight: 700;
    color: var(--crowd-ink-soft);
    cursor: pointer;
  }
  .instructions slot {
    display: block;
    margin-bottom: 10px;
    overflow-wrap: anywhere;
  }
  ::slotted(short-instructions) {
    font-size: 14px;
  }
`;
