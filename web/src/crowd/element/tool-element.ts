import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, TemplateResult } from "../../kit/reactive.js";
import { InstructionsPane, instructionsLook } from "../instructions/instructions-pane.js";
import { CrowdField } from "./crowd-element.js";
import { buttonLook, look } from "./look.js";
import { showShortcuts } from "./shortcut-sheet.js";
import type { HasShortcuts, Shortcut } from "./shortcut-sheet.js";

/** The frame that all annotation tools share: instructions, question, the thing itself, and what one chooses from. */
export abstract class ToolElement extends CrowdField implements HasShortcuts {
  static override properties: Record<string, PropertyDeclaration> = {
    header: { type: String },
    src: { type: String },
  };

  declare header: string;
  declare src: string;

  protected readonly instructions = new InstructionsPane(this);

  constructor() {
    super();
    this.header = "";
    this.src = "";
  }

  /** The tool's own keys, for the sheet of shortcuts. */
  get shortcuts(): readonly Shortcut[] {
    return [];
  }

  protected layout(target: unknown, choices: TemplateResult): TemplateResult {
    return html`
      <div class="tool awsui-app-layout">
        ${this.instructions.pane()}
        <section class="annotation-area" aria-labelledby="question">
          <div class="target">
            <h2 id="question" ?hidden=${this.header === ""}>${this.header}</h2>
            ${target}
          </div>
          <div class="side category-picker-wrapper">
            ${choices}
            ${this.shortcuts.length === 0 ? nothing : html`<p class="keys"><button class="link" type="button" aria-keyshortcuts="?" @click=${showShortcuts}>Keyboard shortcuts</button></p>`}
          </div>
        </section>
      </div>
      ${this.instructions.dialog()}
    `;
  }

  protected problemLine(): TemplateResult | typeof nothing {
    return html`<p class="problem" role="alert">${this.message}</p>`;
  }
}

export const toolLook = [
  look,
  buttonLook,
  instructionsLook,
  css`
    :host {
      display: block;
      container-type: inline-size;
    }
    .tool {
      display: flex;
      align-items: stretch;
      min-height: max(320px, calc(100vh - var(--crowd-footer, 0px)));
    }
    .annotation-area {
      display: flex;
      align-items: stretch;
      flex: 1;
      min-width: 0;
    }
    .target {
      flex: 1 1 400px;
      min-width: 0;
      padding: 16px 24px 24px;
    }
    .side {
      flex: 0 0 300px;
      max-width: 100%;
      padding: 16px 20px;
      border-left: 1px solid var(--crowd-line);
    }
    h2 {
      margin: 0 0 12px;
      font-size: 18px;
      line-height: 1.35;
      font-weight: 650;
      text-wrap: pretty;
    }
    .keys {
      margin: 16px 0 0;
      font-size: 14px;
    }
    .side h3 {
      margin: 0 0 8px;
      font-size: 13px;
      color: var(--crowd-ink-soft);
    }
    @container (max-width: 820px) {
      .tool {
        flex-direction: column;
        min-height: 0;
      }
      .instructions {
        width: auto;
        max-height: 32vh;
        padding: 10px 20px;
        border-right: 0;
        border-bottom: 1px solid var(--crowd-line);
      }
      .annotation-area {
        flex-wrap: wrap;
        align-content: flex-start;
      }
      .side {
        flex: 1 0 100%;
        border-left: 0;
        border-top: 1px solid var(--crowd-line);
      }
    }
  `,
];
