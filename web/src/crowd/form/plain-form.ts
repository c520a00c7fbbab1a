import { html, render } from "../../kit/reactive.js";
import type { Answer } from "./answer.pure.js";
import { checkAll, collect } from "./collect.js";
import type { FrameForm, FrameSession } from "./frame.js";
import { showPreview } from "./preview.js";

/**
 * Stands in for crowd-form in a template that has none: the body is the form,
 * and a Submit button is put at its end.
 */
export class PlainForm implements FrameForm {
  private busy = false;
  private message = "";
  private readonly foot = document.createElement("div");

  constructor(private readonly session: FrameSession) {
    document.addEventListener("submit", (event) => {
      const prevented = event.defaultPrevented;
      event.preventDefault();
      if (!prevented) this.requestSubmit();
    });
    document.body.append(this.foot);
    this.render();
  }

  get root(): ParentNode {
    return document.body;
  }

  requestSubmit(): void {
    if (this.busy) return;
    const verdict = checkAll(this.root);
    this.showMessage(verdict.message);
    if (verdict.ok) this.session.submit(this, collect(this.root));
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
    this.render();
  }

  showMessage(message: string): void {
    this.message = message;
    this.render();
  }

  preview(answer: Answer): void {
    showPreview(answer);
  }

  private render(): void {
    render(
      html`
        <p role="alert" style="margin: 16px 20px 0; color: var(--crowd-danger)">${this.message}</p>
        <crowd-button variant="primary" style="margin: 12px 20px 20px" .waiting=${this.busy} @click=${() => this.requestSubmit()}>Submit</crowd-button>
      `,
      this.foot,
    );
  }
}
