import { ReactiveElement, css, html } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { isTyping } from "../../kit/keyboard.js";
import { dialogLook } from "../instructions/instructions-pane.js";
import { defineElement } from "./crowd-element.js";
import { look } from "./look.js";

/** Keys as people read them ("Ctrl + Z"), and what they do. */
export type Shortcut = readonly [keys: string, what: string];

/** An element with keys of its own; the sheet shows those of all that are on the page. */
export interface HasShortcuts {
  readonly header: string;
  readonly shortcuts: readonly Shortcut[];
}

const EVERYWHERE: readonly Shortcut[] = [
  ["Ctrl + Enter", "submit"],
  ["Tab, Shift + Tab", "next and previous control"],
  ["?", "show these shortcuts"],
  ["Esc", "close a window"],
];

/** The list of all keys that mean something on the page, opened by `?`. */
class ShortcutSheet extends ReactiveElement {
  static override styles = [
    look,
    dialogLook,
    css`
      h3 {
        margin: 18px 0 6px;
        font-size: 14px;
        color: var(--crowd-ink-soft);
      }
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(290px, 1fr));
        gap: 0 28px;
        margin: 0;
      }
      dl > div {
        display: grid;
        grid-template-columns: minmax(96px, 42%) 1fr;
        gap: 12px;
        padding: 5px 0;
        border-bottom: 1px solid var(--crowd-line);
      }
      dt {
        font-weight: 600;
      }
      dd {
        margin: 0;
      }
    `,
  ];

  private get dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  async show(): Promise<void> {
    this.requestUpdate();
    await this.updateComplete;
    if (this.dialog && !this.dialog.open) this.dialog.showModal();
  }

  private onClick(event: Event): void {
    if (event.target === this.dialog) this.dialog?.close();
  }

  protected override render(): unknown {
    return html`
      <dialog class="modal" aria-labelledby="title" @click=${(event: Event) => this.onClick(event)}>
        <div class="modal-body">
          <header>
            <h2 id="title">Keyboard shortcuts</h2>
            <button class="close" type="button" aria-label="Close" @click=${() => this.dialog?.close()}>✕</button>
          </header>
          <div class="modal-content">${toolsOnPage().map((tool) => group(tool.header || "This task", tool.shortcuts))}${group("Everywhere", EVERYWHERE)}</div>
        </div>
      </dialog>
    `;
  }
}

function group(title: string, shortcuts: readonly Shortcut[]): TemplateResult {
  return html`<h3>${title}</h3><dl>${shortcuts.map(([keys, what]) => html`<div><dt>${keys}</dt><dd>${what}</dd></div>`)}</dl>`;
}

/** In sight, in the order of the page, those inside of shadow trees too. */
function toolsOnPage(root: ParentNode = document): HasShortcuts[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [
    ...(hasShortcuts(element) && element.checkVisibility() ? [element] : []),
    ...(element.shadowRoot ? toolsOnPage(element.shadowRoot) : []),
  ]);
}

function hasShortcuts(element: Element): element is Element & HasShortcuts {
  return "shortcuts" in element && Array.isArray(element.shortcuts) && element.shortcuts.length > 0;
}

const TAG = "fiducial-shortcuts";

export function showShortcuts(): void {
  let sheet = document.querySelector<ShortcutSheet>(TAG);
  if (!sheet) {
    sheet = document.createElement(TAG) as ShortcutSheet;
    document.body.append(sheet);
  }
  void sheet.show();
}

export function defineShortcutSheet(): void {
  defineElement(TAG, ShortcutSheet);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    event.preventDefault();
    showShortcuts();
  });
}
