import { html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, TemplateResult } from "../../kit/reactive.js";
import type { Point, Size } from "../../kit/geometry.js";
import type { Tool } from "../../kit/gestures.js";
import { LabelMap } from "../../kit/label-map.js";
import { Labels } from "../../kit/labels.js";
import { PixelSource } from "../../kit/pixels.js";
import type { Unreadable as NoPixels } from "../../kit/pixels.js";
import { PngWriter, base64 } from "../../kit/png.js";
import type { Stage } from "../../kit/stage.js";
import { reveal, toScreen } from "../../kit/view.js";
import type { Contribution } from "../form/answer.pure.js";
import { mediaReports } from "../form/media.js";
import { ImageTool } from "../image-tool/image-tool.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { MapPainter } from "./map-painter.js";
import { readSegments } from "./overlay-picture.js";
import { OUTERMOST_POINTS, PaintTool } from "./paint-tool.js";
import type { Canvas, Mode } from "./paint-tool.js";
import { PixelTools } from "./pixel-tools.js";
import { BACKGROUND, ColourKey, earlierFrom, rgbOf } from "./segments.pure.js";
import type { Earlier, Segment } from "./segments.pure.js";
import { MODES, segmentationButtons } from "./segmentation-buttons.js";

/** What every answer holds, beside what its colours mean. */
export interface Painted {
  readonly labeledImage: { readonly pngImageData: string };
  readonly inputImageProperties: { readonly height: number; readonly width: number };
}

const LARGEST_BRUSH = 1000;
const KEY_STEP = 4;

/**
 * What semantic and instance segmentation have in common: a label map over the
 * picture, the tools that paint into it, and its PNG.
 */
export abstract class SegmentationElement extends ImageTool implements Canvas {
  static override properties: Record<string, PropertyDeclaration> = {
    mode: { state: true },
    size: { state: true },
    tolerance: { state: true },
    patchSize: { state: true },
    keep: { state: true },
    work: { state: true },
    noPixels: { state: true },
    lost: { state: true },
    points: { state: true },
  };

  declare protected mode: Mode;
  declare protected size: number;
  declare protected tolerance: number;
  declare protected patchSize: number;
  /** Other labels are not painted over. */
  declare protected keep: boolean;
  /** What is being worked out, or the empty string. */
  declare protected work: string;
  declare protected noPixels: NoPixels | "";
  /** The earlier segmentation could not be read. */
  declare private lost: boolean;
  declare protected points: number;

  readonly palette = new Labels();
  map: LabelMap | null = null;
  protected readonly noun: string = "of the picture";
  private readonly painter = new MapPainter();
  protected readonly pixels = new PixelTools();
  private tool: PaintTool | null = null;
  private writer: PngWriter | null = null;
  private text: string | null = null;
  private seedText: string | null = null;
  /** A value that was set and is not yet in the map. Until it is, it is the answer. */
  private awaited: Earlier | null = null;
  private awaitedValue: unknown = null;
  private keyPoint: Point | null = null;
  private penDown = false;
  private emptyConfirmed = false;

  constructor() {
    super();
    this.mode = "brush";
    this.size = 20;
    this.tolerance = 24;
    this.patchSize = 0;
    this.keep = false;
    this.work = "";
    this.noPixels = "";
    this.lost = false;
    this.points = 0;
    this.palette.onChange = () => this.shade();
    this.pixels.onWork = (what) => (this.work = what);
    this.pixels.onStep = () => this.stepped();
    this.pixels.onLook = () => this.stage?.invalidate("top");
  }

  // What the two differ in

  /** What the values mean. */
  protected abstract get segments(): readonly Segment[];
  /** The answer around the picture of segments. */
  protected abstract answer(painted: Painted): Record<string, unknown>;
  /** Takes over what an earlier segmentation's colours mean; gives the segments that they stand for. */
  protected abstract adopt(earlier: Earlier): void;
  /** What the template itself begins with, if it does. */
  protected abstract get seed(): Earlier | null;
  abstract take(): number;
  abstract get colour(): string;
  protected abstract isHidden(value: number): boolean;

  get over(): "all" | "nothing" {
    return this.keep ? "nothing" : "all";
  }

  // The answer

  get value(): Record<string, unknown> {
    if (this.awaitedValue !== null) return this.awaitedValue as Record<string, unknown>;
    const { width, height } = this.map?.size ?? { width: 0, height: 0 };
    const answer = this.answer({ inputImageProperties: { height, width }, labeledImage: { pngImageData: this.png() } });
    return this.seed === null ? answer : { ...answer, initialValueModified: this.seedText !== null && this.png() !== this.seedText };
  }

  set value(value: unknown) {
    this.restore(value);
  }

  get _submittableValue(): Record<string, unknown> {
    return this.value;
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.value }];
  }

  private png(): string {
    if (!this.map || !this.writer) return "";
    return (this.text ??= base64(this.writer.write(this.map.data, [rgbOf(BACKGROUND), ...this.segments.map(({ colour }) => rgbOf(colour))])));
  }

  restore(value: unknown): void {
    const earlier = earlierFrom(value);
    if (!earlier) return;
    this.awaited = earlier;
    this.awaitedValue = value;
    // Before the picture is there its size is not known; then it is done when it comes.
    if (this.state === "ready") void this.settle();
  }

  reset(): void {
    this.tool?.cancel();
    this.message = "";
    this.seedText = null;
    if (this.map) void this.begin();
  }

  override problem(): string {
    const picture = this.pictureProblem();
    if (picture !== "") return picture;
    if (this.work !== "" && this.mode === "outline") return "The outline is still being worked out.";
    if (this.tool && this.tool.begun > 0) return "An outline is not finished: press Enter to end it, or Esc to drop it.";
    if (!this.painter.idle || this.awaitedValue !== null || this.emptyConfirmed) return "";
    return "Nothing is painted. If there is nothing to label in this picture, submit once more.";
  }

  override check(): boolean {
    const ok = super.check();
    // Handing in nothing is a fair answer, but not by a slip: the second try counts.
    if (!ok && this.state === "ready" && this.painter.idle && this.points === 0) this.emptyConfirmed = true;
    return ok;
  }

  // Life

  protected attach(stage: Stage): Tool {
    const tool = new PaintTool(stage, this, this.pixels);
    tool.onStep = () => this.stepped();
    tool.onNoLabel = () => (this.hint = "There is no label yet to paint with.");
    tool.onPoints = () => (this.points = tool.begun);
    stage.setPainter("base", this.painter);
    stage.setPainter("top", tool);
    stage.root.addEventListener("pointermove", () => (this.keyPoint = null));
    this.tool = tool;
    return tool;
  }

  protected async pictureReady(size: Size): Promise<void> {
    const map = new LabelMap(size);
    map.onChange = (part) => {
      this.text = null;
      this.painter.touch(part);
      this.writer?.touch(part.top, part.top + part.height);
      this.stage?.invalidate("base");
    };
    this.map = this.painter.map = map;
    this.writer = new PngWriter(size);
    this.text = null;
    const across = Math.max(size.width, size.height);
    this.size = Math.max(3, Math.round(across / 40));
    this.patchSize = Math.max(6, Math.round(across / 25));
    const image = this.stage?.image;
    const source = image ? PixelSource.of(image, size) : "no leave";
    this.noPixels = typeof source === "string" ? source : "";
    this.pixels.open(typeof source === "string" ? null : source, map);
    this.useMode(this.noPixels !== "" && MODES[this.mode].looks ? "brush" : this.mode);
    await this.begin();
    await this.settle();
  }

  /** Begins with what the template says: an earlier segmentation, or nothing. */
  private async begin(): Promise<void> {
    this.lost = false;
    const { seed } = this;
    if (seed) this.lost = !(await this.show(seed));
    else if (!this.painter.idle) this.map?.replace(() => 0);
    this.shade();
    if (seed) this.seedText = this.png();
  }

  /** Brings a value that was set into the map. */
  private async settle(): Promise<void> {
    const { awaited } = this;
    if (!awaited) return;
    await this.show(awaited);
    if (awaited !== this.awaited) return;
    this.awaited = this.awaitedValue = null;
    this.shade();
  }

  private async show(earlier: Earlier): Promise<boolean> {
    const { map } = this;
    if (!map) return false;
    this.adopt(earlier);
    try {
      const at = await readSegments(earlier.url, map.size, new ColourKey(this.segments));
      if (map === this.map) map.replace(at);
      return true;
    } catch {
      if (!earlier.url.startsWith("data:")) mediaReports.report(earlier.url);
      return false;
    }
  }

  /** Labels, colours or what is shown of them have changed. */
  protected shade(): void {
    this.painter.setShades(this.segments.map(({ label, colour }, i) => ({ colour, opacity: this.isHidden(i + 1) ? 0 : 0.6 * this.palette.opacityOf(label) })));
    this.text = null;
    this.stage?.invalidate("base", "top");
    this.requestUpdate();
  }

  protected stepped(): void {
    this.hint = "";
    this.emptyConfirmed = false;
    this.afterStep();
    this.requestUpdate();
    this.changed();
  }

  /** A step was made, taken back or made again. */
  protected afterStep(): void {}

  // Commands, for keys and buttons alike

  protected undo(): void {
    // What is begun and not in the map goes first.
    if (this.tool?.back() || !this.map?.undo()) return;
    this.stepped();
  }

  protected redo(): void {
    if (this.map?.redo()) this.stepped();
  }

  protected useMode(mode: Mode): void {
    if (MODES[mode].looks && this.noPixels !== "") return;
    if (this.work !== "") this.pixels.cancel();
    this.mode = mode;
    this.penDown = false;
    if (!this.tool) return;
    this.tool.mode = mode;
    this.tool.size = this.size;
    if (mode === "patches") void this.pixels.makePatches(this.patchSize);
  }

  /** Makes what the tool in hand measures larger or smaller. */
  protected resize(factor: number): void {
    const scaled = (n: number): number => Math.max(1, factor > 1 ? Math.max(n + 1, Math.round(n * factor)) : Math.min(n - 1, Math.round(n * factor)));
    if (this.mode === "wand") this.setTolerance(scaled(this.tolerance));
    else if (this.mode === "patches") this.setPatchSize(scaled(this.patchSize));
    else this.setSize(scaled(this.size));
  }

  protected setSize(size: number): void {
    this.size = Math.min(LARGEST_BRUSH, Math.max(1, size));
    if (this.tool) this.tool.size = this.size;
    this.stage?.invalidate("top");
  }

  protected setTolerance(tolerance: number): void {
    this.tolerance = this.pixels.tolerance = Math.min(128, Math.max(0, tolerance));
  }

  protected setPatchSize(size: number): void {
    this.patchSize = Math.min(400, Math.max(6, size));
    void this.pixels.makePatches(this.patchSize);
  }

  protected get strokes(): Readonly<Record<string, () => void>> {
    const modes = Object.fromEntries(Object.entries(MODES).map(([mode, { key }]) => [key, () => this.useMode(mode as Mode)]));
    return {
      ...modes,
      "[": () => this.resize(1 / 1.25),
      "]": () => this.resize(1.25),
      k: () => (this.keep = !this.keep),
      enter: () => this.enter(),
      escape: () => this.cancel(),
      backspace: () => this.tool?.back(),
    };
  }

  protected get toolShortcuts(): readonly Shortcut[] {
    return [
      ...Object.values(MODES).map(({ key, what }): Shortcut => [key.toUpperCase(), what]),
      ["[ and ]", "smaller, larger: brush, patches; less, more alike"],
      ["Alt + press", "erase with the tool in hand"],
      ["K", "keep other labels as they are"],
      ["Backspace", "take back the last corner or point"],
      ["Enter", "end the outline"],
      ["Esc", "drop what is begun"],
      ["Arrow keys", "move the pointer, with Shift farther; with Ctrl move the picture"],
      ["Enter, with the keyboard's pointer", "press there; brush: put down and lift"],
    ];
  }

  private cancel(): void {
    this.penDown = false;
    this.pixels.cancel();
    this.tool?.cancel();
  }

  // The keyboard's own pointer

  protected override onArrow(direction: Point, by: number, mod: boolean): boolean {
    const { stage, tool } = this;
    if (mod || !stage?.ready || !tool) return false;
    const { view, imageSize, screen } = stage;
    const step = Math.max(1, KEY_STEP / view.scale) * by;
    const from = this.keyPoint ?? { x: (screen.width / 2 - view.x) / view.scale, y: (screen.height / 2 - view.y) / view.scale };
    const limit = (v: number, most: number): number => Math.min(most - 0.5, Math.max(0.5, Math.floor(v) + 0.5));
    this.keyPoint = this.keyPoint ? { x: limit(from.x + direction.x * step, imageSize.width), y: limit(from.y + direction.y * step, imageSize.height) } : { x: limit(from.x, imageSize.width), y: limit(from.y, imageSize.height) };
    stage.setView(reveal(view, { left: this.keyPoint.x, top: this.keyPoint.y, width: 1, height: 1 }, imageSize, screen));
    const at = this.pointing(this.keyPoint);
    if (this.penDown) tool.drag(at);
    else tool.hover(at);
    return true;
  }

  private pointing(image: Point): Parameters<Tool["press"]>[0] {
    const screen = this.stage ? toScreen(this.stage.view, image) : image;
    return { image, screen, shift: false, alt: false, mod: false, coarse: false };
  }

  private enter(): void {
    const { tool, keyPoint } = this;
    // At the last corner, Enter ends the outline.
    if (!tool || !keyPoint || tool.endsAt(keyPoint)) {
      tool?.finish();
      return;
    }
    const at = this.pointing(keyPoint);
    const strokes = this.mode === "brush" || this.mode === "eraser" || this.mode === "patches";
    if (!this.penDown) tool.press(at);
    if (this.penDown || !strokes) tool.release(at);
    this.penDown = strokes && !this.penDown;
    // The release has moved the pointer away from the keys' point.
    tool.hover(at);
  }

  // The page

  protected countOf(label: string): number | string {
    const { map } = this;
    if (!map) return 0;
    const cells = this.segments.reduce((sum, segment, i) => sum + (segment.label === label ? map.countOf(i + 1) : 0), 0);
    const share = (100 * cells) / map.data.length;
    return cells > 0 ? `${Math.max(1, Math.round(share))} %` : 0;
  }

  protected buttons(): TemplateResult {
    const { mode, size, tolerance, patchSize } = this;
    return segmentationButtons(
      { mode, size, tolerance, patchSize, keep: this.keep, looks: this.noPixels === "", canUndo: this.map?.canUndo === true || this.points > 0, canRedo: this.map?.canRedo ?? false, largest: LARGEST_BRUSH },
      {
        useMode: (m) => this.useMode(m),
        setSize: (n) => this.setSize(n),
        setTolerance: (n) => this.setTolerance(n),
        setPatchSize: (n) => this.setPatchSize(n),
        toggleKeep: () => (this.keep = !this.keep),
        undo: () => this.undo(),
        redo: () => this.redo(),
      },
    );
  }

  /** What the tool in hand does, and what goes on. */
  protected advice(): TemplateResult {
    const { noPixels, mode, points } = this;
    const left = OUTERMOST_POINTS - points;
    return html`
      <section class="advice" aria-labelledby="advice-title">
        <h3 id="advice-title">${MODES[mode].name}</h3>
        <p class="quiet" role="status">${this.work || (mode === "outline" && points > 0 ? `${left} more ${left === 1 ? "point" : "points"}.` : MODES[mode].advice)}</p>
        ${noPixels === "" ? nothing : html`<p class="quiet off">${noPixels === "no leave" ? "Alike, patches and automatic outline are off: the picture's host does not let pages read its pixels (CORS)." : "Alike, patches and automatic outline are off: this browser does not tell how the picture is turned."}</p>`}
        ${this.lost ? html`<p class="problem" role="alert">The earlier segmentation could not be read: its picture does not open, or its host does not let pages read it (CORS). You begin with nothing.</p>` : nothing}
      </section>
    `;
  }

  protected stageName(): string {
    return `Picture. Tool: ${MODES[this.mode].name}. Label: ${this.palette.active}. Arrow keys move the pointer, Enter presses, question mark for all keys.`;
  }
}
