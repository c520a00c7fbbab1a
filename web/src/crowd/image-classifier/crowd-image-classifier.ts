import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";
import { CategoryField, categoryLook, labelAnswer } from "../classifier/category-field.js";
import { Unreadable, defineElement, looseProperty, loosely } from "../element/crowd-element.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { toolLook } from "../element/tool-element.js";
import { mediaReports } from "../form/media.js";
import { dialogLook } from "../instructions/instructions-pane.js";
import { Gestures } from "../../kit/gestures.js";
import type { Tool } from "../../kit/gestures.js";
import { Stage } from "../../kit/stage.js";
import { stageLook } from "../../kit/stage-look.js";
import { OverlayPainter, readOverlay } from "./overlay.js";
import { WorkerComment } from "./worker-comment.js";

/** A picture is only looked at here: every drag pans. */
const LOOK_ONLY: Tool = {
  press: () => false,
  drag: () => {},
  release: () => {},
  cancel: () => {},
  hover: () => {},
};

/** One category for a picture, which can be zoomed; in verification work with an earlier job's labels over it. */
export class CrowdImageClassifier extends CategoryField {
  static override properties = {
    overlay: looseProperty("overlay"),
    state: { state: true },
    overlayShown: { state: true },
  };

  static override styles = [
    ...toolLook,
    stageLook,
    categoryLook,
    dialogLook,
    css`
      .tool {
        height: max(420px, calc(100vh - var(--crowd-footer, 0px)));
      }
      .target {
        display: flex;
        flex-direction: column;
        padding: 0;
      }
      .target h2 {
        margin: 0;
        padding: 12px 16px;
        font-size: 17px;
      }
      .stage {
        flex: 1;
        min-height: 0;
        cursor: grab;
      }
      .zoom-buttons {
        position: absolute;
        z-index: 2;
        right: 12px;
        bottom: 12px;
        display: flex;
        border: 1px solid var(--crowd-line);
        border-radius: var(--crowd-radius);
        background: var(--crowd-paper);
        box-shadow: 0 2px 10px rgb(0 0 0 / 0.2);
      }
      .zoom-buttons button {
        display: grid;
        place-items: center;
        width: 36px;
        height: 34px;
        padding: 0;
        border: 0;
        border-radius: var(--crowd-radius);
        background: none;
      }
      .zoom-buttons button:hover,
      .zoom-buttons [aria-pressed="true"] {
        background: var(--crowd-accent-soft);
        color: var(--crowd-accent);
      }
      .note {
        position: absolute;
        z-index: 3;
        top: 40%;
        left: 50%;
        margin: 0;
        padding: 8px 16px;
        border-radius: var(--crowd-radius);
        background: var(--crowd-paper);
        transform: translate(-50%, -50%);
        white-space: nowrap;
      }
      .note.failed {
        color: var(--crowd-danger);
      }
      .side {
        overflow: auto;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        margin: 0;
        padding: 6px 16px;
        list-style: none;
        font-size: 14px;
      }
      .legend span {
        display: inline-block;
        width: 12px;
        height: 12px;
        margin-right: 6px;
        border-radius: 2px;
      }
      .comment-text {
        width: 100%;
        margin-top: 10px;
        padding: 8px 12px;
        border: 1px solid var(--crowd-line-strong);
        border-radius: var(--crowd-radius);
        background: var(--crowd-paper);
        color: inherit;
        font: inherit;
      }
      @container (max-width: 820px) {
        .tool {
          height: auto;
        }
        .stage {
          flex: none;
          height: 56vh;
        }
      }
    `,
  ];

  declare overlay: unknown;
  declare private state: "empty" | "loading" | "ready" | "failed";
  declare private overlayShown: boolean;

  protected override readonly several: boolean = false;
  protected readonly comment = new WorkerComment(this, () => this.changed());
  private stage: Stage | null = null;
  private readonly painter = new OverlayPainter(() => this.stage?.invalidate("base"));

  constructor() {
    super();
    this.overlay = undefined;
    this.state = "empty";
    this.overlayShown = true;
  }

  override get shortcuts(): readonly Shortcut[] {
    return [...super.shortcuts, ["+, −", "on the picture: zoom"], ["Arrow keys", "on the picture: move it"], ["F, 0", "on the picture: fit it"], ["Wheel", "zoom to the pointer"]];
  }

  protected answerValue(): unknown {
    const label = this.answerLabels[0];
    return label === undefined ? undefined : labelAnswer(label, this.comment.text);
  }

  override restore(value: unknown): void {
    super.restore(value);
    this.comment.restore(value);
  }

  override reset(): void {
    super.reset();
    this.comment.text = "";
  }

  protected override firstUpdated(): void {
    const root = this.renderRoot.querySelector<HTMLElement>(".stage");
    if (!root) return;
    this.stage = new Stage(root);
    this.stage.setPainter("base", this.painter);
    new Gestures(this.stage, LOOK_ONLY);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("src") && this.src !== "") void this.load();
    if (changed.has("overlay")) this.painter.show(readOverlay(loosely(this.overlay)));
    if (changed.has("overlayShown")) this.painter.setShown(this.overlayShown);
  }

  private async load(): Promise<void> {
    if (!this.stage) return;
    const src = this.src;
    this.state = "loading";
    try {
      if (await this.stage.load(src)) this.state = "ready";
    } catch {
      if (src !== this.src) return;
      this.state = "failed";
      mediaReports.report(src);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const stage = this.stage;
    if (!stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions: Record<string, () => void> = {
      "+": () => stage.zoom(1.25),
      "=": () => stage.zoom(1.25),
      "-": () => stage.zoom(0.8),
      "0": () => stage.fit(),
      f: () => stage.fit(),
      ArrowLeft: () => stage.pan(60, 0),
      ArrowRight: () => stage.pan(-60, 0),
      ArrowUp: () => stage.pan(0, 60),
      ArrowDown: () => stage.pan(0, -60),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  protected override render(): unknown {
    return html`${this.layout(html`${this.stageTemplate()}${this.legend()}`, this.picker(this.comment.link()))}${this.comment.dialog()}`;
  }

  private stageTemplate(): TemplateResult {
    const button = (name: string, label: string, run: () => void): TemplateResult => html`<button type="button" title=${label} aria-label=${label} @click=${run}>${icon(name)}</button>`;
    return html`
      <div class="stage" tabindex="0" role="group" aria-label="The picture to classify. Plus and minus zoom, arrow keys move." @keydown=${(e: KeyboardEvent) => this.onKey(e)}>
        ${this.state === "loading" ? html`<p class="note" role="status">Loading the picture…</p>` : nothing}
        ${this.state === "failed" ? html`<p class="note failed" role="alert">The picture could not be opened. <button class="link" type="button" @click=${() => void this.load()}>Try again</button></p>` : nothing}
        ${this.overlay instanceof Unreadable ? html`<p class="note failed" role="alert">The attribute overlay cannot be read: ${this.overlay.message}</p>` : nothing}
        <div class="zoom-buttons" @pointerdown=${(e: Event) => e.stopPropagation()}>
          ${this.overlay === undefined ? nothing : html`<button type="button" aria-pressed=${this.overlayShown} title="Show the labels" aria-label="Show the labels" @click=${() => (this.overlayShown = !this.overlayShown)}>${icon(this.overlayShown ? "visibility" : "visibility-off")}</button>`}
          ${button("zoom-out", "Zoom out", () => this.stage?.zoom(0.8))} ${button("zoom-in", "Zoom in", () => this.stage?.zoom(1.25))} ${button("zoom-fit", "Fit the picture", () => this.stage?.fit())}
        </div>
      </div>
    `;
  }

  private legend(): TemplateResult | typeof nothing {
    const entries = this.overlay === undefined || this.overlay instanceof Unreadable ? [] : readOverlay(loosely(this.overlay)).legend;
    if (entries.length === 0) return nothing;
    return html`<ul class="legend" aria-label="Labels of the overlay">${entries.map(({ label, colour }) => html`<li><span style="background: ${colour}"></span>${label}</li>`)}</ul>`;
  }
}

export class CrowdImageClassifierMultiSelect extends CrowdImageClassifier {
  protected override readonly several = true;

  protected override answerValue(): unknown {
    const labels = this.answerLabels;
    if (labels.length === 0) return undefined;
    return this.comment.text === "" ? { labels } : { labels, workerComment: this.comment.text };
  }
}

export function defineImageClassifier(): void {
  defineElement("crowd-image-classifier", CrowdImageClassifier);
  defineElement("crowd-image-classifier-multi-select", CrowdImageClassifierMultiSelect);
}
