import { html, nothing } from "../../kit/reactive.js";
import type { ReactiveController, ReactiveElement, TemplateResult } from "../../kit/reactive.js";
import { isRecord } from "../../kit/record.js";
import { regionOf } from "../element/region.js";

/** The `worker-comment` region: a link below the categories that opens a dialog in which the worker says why. */
export class WorkerComment implements ReactiveController {
  text = "";
  private readonly observer = new MutationObserver(() => this.host.requestUpdate());

  constructor(
    private readonly host: ReactiveElement,
    private readonly changed: () => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.observer.observe(this.host, { childList: true });
  }

  hostDisconnected(): void {
    this.observer.disconnect();
  }

  restore(answer: unknown): void {
    if (isRecord(answer) && typeof answer.workerComment === "string") this.text = answer.workerComment;
    this.host.requestUpdate();
  }

  private get region(): HTMLElement | null {
    return regionOf(this.host, "worker-comment");
  }

  link(): TemplateResult | typeof nothing {
    const region = this.region;
    if (!region) return nothing;
    return html`
      <p>
        <button class="link" type="button" @click=${() => this.open()}>${region.getAttribute("link-text") ?? "Add a comment."}</button>
        ${this.text === "" ? nothing : html`<br /><span class="comment-given">“${this.text}”</span>`}
      </p>
    `;
  }

  dialog(): TemplateResult | typeof nothing {
    const region = this.region;
    if (!region) return nothing;
    return html`
      <dialog class="modal comment" aria-labelledby="comment-title">
        <form method="dialog" class="modal-body" @submit=${() => this.save()}>
          <header><h2 id="comment-title">${region.getAttribute("header") ?? "Add a comment."}</h2></header>
          <div class="modal-content">
            <slot name="worker-comment"></slot>
            <textarea class="comment-text" rows="5" aria-labelledby="comment-title" placeholder=${region.getAttribute("placeholder") ?? nothing} .value=${this.text} @input=${(e: Event) => e.stopPropagation()}></textarea>
            <p>
              <button class="button primary" type="submit">Save</button>
              <button class="button" type="button" @click=${() => this.modal?.close()}>Cancel</button>
            </p>
          </div>
        </form>
      </dialog>
    `;
  }

  private get modal(): HTMLDialogElement | null {
    return this.host.renderRoot.querySelector<HTMLDialogElement>("dialog.comment");
  }

  private open(): void {
    const field = this.modal?.querySelector("textarea");
    if (field) field.value = this.text;
    this.modal?.showModal();
    field?.focus();
  }

  private save(): void {
    this.text = this.modal?.querySelector("textarea")?.value.trim() ?? "";
    this.host.requestUpdate();
    this.changed();
  }
}
