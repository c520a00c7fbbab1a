import { html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import type { Point, Size } from "../../kit/geometry.js";
import { Gestures } from "../../kit/gestures.js";
import type { Tool } from "../../kit/gestures.js";
import { digitOf, isTyping, strokeOf } from "../../kit/keyboard.js";
import type { Labels } from "../../kit/labels.js";
import { namesOf } from "../../kit/loose.js";
import { Minimap } from "../../kit/minimap.js";
import { Stage } from "../../kit/stage.js";
import { Unreadable, looseProperty, loosely } from "../element/crowd-element.js";
import { showShortcuts } from "../element/shortcut-sheet.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { ToolElement } from "../element/tool-element.js";
import { mediaReports } from "../form/media.js";
import { imageToolLook } from "./image-tool-look.js";
import { labelPanel } from "./label-panel.js";
import { gap, menu, slider, toolButton } from "./toolbar.js";

const ARROWS: Readonly<Record<string, Point>> = { arrowleft: { x: -1, y: 0 }, arrowright: { x: 1, y: 0 }, arrowup: { x: 0, y: -1 }, arrowdown: { x: 0, y: 1 } };

/** What all image tools understand. */
const COMMON_SHORTCUTS: readonly Shortcut[] = [
  ["Wheel, pinch", "zoom to the pointer"],
  ["Space + drag, middle button, two fingers", "move the picture"],
  ["Arrow keys", "move the picture while nothing is selected"],
  ["+, −", "zoom"],
  ["F, 0", "fit the picture"],
  ["1 – 9", "choose the label; relabel what is selected"],
  ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
  ["M", "show or hide the overview"],
];

/** How far an arrow key moves the picture, in CSS pixels. */
const PAN_STEP = 60;

/**
 * What all tools that draw on a picture have in common: the stage with its
 * picture and pointer, labels, tool bar, how the picture is shown, keys.
 */
export abstract class ImageTool extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    labels: looseProperty("labels"),
    state: { state: true },
    hint: { state: true },
    brightness: { state: true },
    contrast: { state: true },
    saturation: { state: true },
  };

  static override styles = imageToolLook;

  declare labels: unknown;
  declare protected state: "empty" | "loading" | "ready" | "failed";
  /** A short word to the worker over the picture; empty for none. */
  declare protected hint: string;
  declare private brightness: number;
  declare private contrast: number;
  declare private saturation: number;

  stage: Stage | null = null;
  private gestures: Gestures | null = null;
  private minimap: Minimap | null = null;

  constructor() {
    super();
    this.labels = [];
    this.state = "empty";
    this.hint = "";
    this.brightness = this.contrast = this.saturation = 100;
  }

  // What the tools differ in

  /** The labels, their colours and what is shown of them. */
  abstract readonly palette: Labels;
  /** What is drawn, in the plural: "boxes". */
  protected abstract readonly noun: string;
  /** Keys of the tool itself, by stroke. They come before those that all tools share. */
  protected abstract readonly strokes: Readonly<Record<string, () => void>>;
  protected abstract readonly toolShortcuts: readonly Shortcut[];
  /** Gives the stage its painters, and the pointer a tool. */
  protected abstract attach(stage: Stage): Tool;
  /** The picture is there, with its size in stored pixels. */
  protected abstract pictureReady(size: Size): void | Promise<void>;
  protected abstract undo(): void;
  protected abstract redo(): void;
  protected abstract countOf(label: string): number | string;
  /** Buttons of the tool itself, at the beginning of the tool bar. */
  protected abstract buttons(): unknown;
  /** What stands below the labels. */
  protected abstract panel(): unknown;
  /** What a screen reader says of the picture. */
  protected abstract stageName(): string;

  /** An arrow key, when it is not to move the picture; `by` is 1 or, with Shift, 10. */
  protected onArrow(_direction: Point, _by: number, _mod: boolean): boolean {
    return false;
  }

  protected useLabel(label: string): void {
    this.palette.choose(label);
  }

  /** Attributes that hold loose literals, to say so at the picture when one cannot be read. */
  protected literals(): readonly (readonly [string, unknown])[] {
    return [["labels", this.labels]];
  }

  /** What the template's author has to hear of. */
  protected faults(): readonly string[] {
    return this.literals().flatMap(([name, value]) => (value instanceof Unreadable ? [`The attribute ${name} cannot be read: ${value.message}`] : []));
  }

  protected get crossed(): boolean {
    return true;
  }

  // Life

  override focus(options?: FocusOptions): void {
    this.stage?.root.focus(options);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKeyDown);
    document.addEventListener("keyup", this.onKeyUp);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKeyDown);
    document.removeEventListener("keyup", this.onKeyUp);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("labels")) this.palette.set(namesOf(loosely(this.labels)));
  }

  protected override firstUpdated(): void {
    const root = this.renderRoot.querySelector<HTMLElement>(".stage");
    if (!root) return;
    const stage = new Stage(root);
    this.gestures = new Gestures(stage, this.attach(stage));
    this.minimap = new Minimap(stage);
    stage.onView = (view) => {
      this.showZoom(view.scale);
      this.minimap?.refresh();
    };
    this.stage = stage;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("src") && this.src !== "") void this.load();
    if (changed.has("brightness") || changed.has("contrast") || changed.has("saturation")) {
      const plain = this.brightness === 100 && this.contrast === 100 && this.saturation === 100;
      this.stage?.setFilter(plain ? "none" : `brightness(${this.brightness}%) contrast(${this.contrast}%) saturate(${this.saturation}%)`);
    }
  }

  private async load(): Promise<void> {
    if (!this.stage) return;
    const src = this.src;
    this.state = "loading";
    try {
      if (!(await this.stage.load(src))) return;
      await this.pictureReady(this.stage.imageSize);
      this.minimap?.refresh();
      if (src === this.src) this.state = "ready";
    } catch {
      if (src !== this.src) return;
      this.state = "failed";
      mediaReports.report(src);
    }
  }

  /** Why nothing can be handed in yet, or the empty string. */
  protected pictureProblem(): string {
    if (this.state === "loading") return "The picture is still loading.";
    if (this.state === "failed") return "The picture could not be opened, so there is nothing to hand in yet.";
    return "";
  }

  // Keys

  override get shortcuts(): readonly Shortcut[] {
    return [...this.toolShortcuts, ...COMMON_SHORTCUTS];
  }

  private readonly onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isTyping(event) || !this.concerns(event)) return;
    if (this.onStroke(strokeOf(event), event)) event.preventDefault();
  };

  private onStroke(stroke: string, event: KeyboardEvent): boolean {
    if (meantForControl(stroke, event.composedPath()[0])) return false;
    if (stroke === "space") {
      if (this.gestures) this.gestures.space = true;
      return true;
    }
    const parts = stroke.split("+");
    const arrow = ARROWS[parts.at(-1) ?? ""];
    if (arrow) return this.runArrow(arrow, parts.includes("shift") ? 10 : 1, parts.includes("mod") || parts.includes("alt"));
    const digit = digitOf(event);
    const label = digit ? this.palette.names[digit - 1] : undefined;
    if (label !== undefined) {
      this.useLabel(label);
      return true;
    }
    const action = this.strokes[stroke] ?? this.commonStrokes[stroke];
    action?.();
    return action !== undefined;
  }

  private runArrow(arrow: Point, by: number, mod: boolean): boolean {
    if (!this.stage?.ready) return false;
    if (!this.onArrow(arrow, by, mod)) this.stage.pan(-arrow.x * PAN_STEP * Math.sqrt(by), -arrow.y * PAN_STEP * Math.sqrt(by));
    return true;
  }

  private readonly commonStrokes: Readonly<Record<string, () => void>> = {
    "mod+z": () => this.undo(),
    "mod+shift+z": () => this.redo(),
    "mod+y": () => this.redo(),
    "+": () => this.stage?.zoom(1.25),
    "=": () => this.stage?.zoom(1.25),
    "-": () => this.stage?.zoom(1 / 1.25),
    f: () => this.stage?.fit(),
    "0": () => this.stage?.fit(),
    m: () => this.minimap?.toggle(),
  };

  private readonly onKeyUp = (event: KeyboardEvent): void => {
    if (event.key === " " && this.gestures) this.gestures.space = false;
  };

  /** Keys are ours unless the focus is in another element of the page, or a dialog is open. */
  private concerns(event: Event): boolean {
    if (this.renderRoot.querySelector("dialog[open]")) return false;
    const target = event.composedPath()[0];
    return target === document.body || target === document.documentElement || event.composedPath().includes(this);
  }

  // What moves without a new rendering

  /** Shows the crosshair at a place of the stage; null takes it away. */
  protected moveCrosshair(at: Point | null): void {
    const root = this.stage?.root;
    if (!root) return;
    const on = at !== null && this.crossed && this.state === "ready";
    root.classList.toggle("crossed", on);
    if (!on) return;
    root.style.setProperty("--x", `${Math.round(at.x)}px`);
    root.style.setProperty("--y", `${Math.round(at.y)}px`);
  }

  private showZoom(scale: number): void {
    const place = this.renderRoot.querySelector(".zoom-level");
    if (place) place.textContent = `${Math.round(scale * 100)}%`;
  }

  // The page

  protected override render(): unknown {
    return this.layout(html`${this.toolbar()}${this.stageTemplate()}${this.problemLine()}`, html`${this.labelSection()}${this.panel()}`);
  }

  private labelSection(): TemplateResult {
    return labelPanel(this.palette, { choose: (label) => this.useLabel(label), countOf: (label) => this.countOf(label), noun: this.noun });
  }

  private stageTemplate(): TemplateResult {
    return html`
      <div class="stage" tabindex="0" role="application" aria-label=${this.stageName()}>
        <div class="cross x"></div>
        <div class="cross y"></div>
        ${this.state === "loading" ? html`<p class="note" role="status">Loading the picture…</p>` : nothing}
        ${this.state === "failed" ? html`<p class="note failed" role="alert">The picture could not be opened. <button class="link" type="button" @click=${() => void this.load()}>Try again</button></p>` : nothing}
        ${this.faults().length === 0 ? nothing : html`<p class="note failed" role="alert">${this.faults().join("\n")}</p>`}
        ${this.hint === "" ? nothing : html`<p class="note hint" role="status">${this.hint}</p>`}
      </div>
    `;
  }

  private toolbar(): TemplateResult {
    return html`
      <div class="toolbar" role="toolbar" aria-label="Tools">
        ${this.buttons()} ${gap}
        ${toolButton("zoom-out", "Zoom out (−)", () => this.stage?.zoom(1 / 1.25))}
        <output class="zoom-level" aria-label="Zoom">100%</output>
        ${toolButton("zoom-in", "Zoom in (+)", () => this.stage?.zoom(1.25))} ${toolButton("zoom-fit", "Fit the picture (F)", () => this.stage?.fit())} ${gap}
        ${menu("contrast", "Brightness, contrast, saturation", this.lightSliders())} ${toolButton("keyboard", "Keys and gestures (?)", showShortcuts)}
      </div>
    `;
  }

  private lightSliders(): TemplateResult {
    const range = [20, 300, 5] as const;
    return html`
      ${slider("Brightness", this.brightness, range, (n) => (this.brightness = n))} ${slider("Contrast", this.contrast, range, (n) => (this.contrast = n))}
      ${slider("Saturation", this.saturation, [0, 300, 5], (n) => (this.saturation = n))}
      <button class="link" type="button" @click=${() => (this.brightness = this.contrast = this.saturation = 100)}>Back to normal</button>
    `;
  }
}

const SLIDER_KEYS = new Set(["arrowleft", "arrowright", "arrowup", "arrowdown", "home", "end", "pageup", "pagedown"]);

/** Keys that press the button, or move the slider, that has the focus. */
function meantForControl(stroke: string, target: EventTarget | undefined): boolean {
  if (target instanceof HTMLInputElement) return SLIDER_KEYS.has(stroke);
  const pressed = target instanceof HTMLButtonElement || (target instanceof HTMLElement && target.localName === "summary");
  return pressed && (stroke === "space" || stroke === "enter");
}
