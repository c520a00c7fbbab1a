import { labelColour } from "../../kit/colours.js";
import { namesOf } from "../../kit/loose.js";
import { isRecord } from "../../kit/record.js";
import type { Painter, Surface } from "../../kit/stage.js";
import { toScreenRect } from "../../kit/view.js";
import { BoxPainter } from "../bounding-box/box-painter.js";
import { BoxEditor } from "../bounding-box/boxes.pure.js";
import { mediaReports } from "../form/media.js";

/** What an earlier job found, to be looked at: boxes, or a picture of segments with the colours it uses. */
export interface Overlay {
  readonly labels: readonly string[];
  readonly boxes: unknown;
  readonly maskUrl: string;
  readonly legend: readonly { label: string; colour: string }[];
}

const NOTHING: Overlay = { labels: [], boxes: null, maskUrl: "", legend: [] };

/** Reads the `overlay` attribute: `{boundingBox | semanticSegmentation | instanceSegmentation: {…}}`. */
export function readOverlay(value: unknown): Overlay {
  if (!isRecord(value)) return NOTHING;
  if (isRecord(value.boundingBox)) return boxOverlay(value.boundingBox);
  const mask = value.semanticSegmentation ?? value.instanceSegmentation;
  return isRecord(mask) ? maskOverlay(mask) : NOTHING;
}

function boxOverlay(spec: Record<string, unknown>): Overlay {
  const boxes = spec.value ?? spec.boundingBoxes;
  const given = namesOf(spec.labels);
  const labels = given.length > 0 ? given : namesOf(boxes);
  return { labels, boxes, maskUrl: "", legend: labels.map((label, i) => ({ label, colour: labelColour(i) })) };
}

function maskOverlay(spec: Record<string, unknown>): Overlay {
  const src = isRecord(spec.src) ? Object.values(spec.src)[0] : spec.src;
  return { labels: namesOf(spec.labels), boxes: null, maskUrl: typeof src === "string" ? src : "", legend: legendOf(spec) };
}

function legendOf(spec: Record<string, unknown>): Overlay["legend"] {
  const colourOf = (entry: unknown): string => (isRecord(entry) && typeof entry.color === "string" ? entry.color : "");
  if (isRecord(spec.labelMappings)) return Object.entries(spec.labelMappings).map(([label, entry]) => ({ label, colour: colourOf(entry) }));
  if (!Array.isArray(spec.instances)) return [];
  return (spec.instances as unknown[]).filter(isRecord).map((entry) => ({ label: typeof entry.label === "string" ? entry.label : "", colour: colourOf(entry) }));
}

export class OverlayPainter implements Painter {
  private readonly boxes = new BoxEditor();
  private readonly boxPainter = new BoxPainter(this.boxes);
  private mask: HTMLImageElement | null = null;
  private value: unknown = null;
  private shown = true;
  private sizedFor = "";

  constructor(private readonly redraw: () => void) {}

  show(overlay: Overlay): void {
    this.boxes.labels.set(overlay.labels);
    this.value = overlay.boxes;
    this.sizedFor = "";
    this.mask = null;
    if (overlay.maskUrl !== "") this.loadMask(overlay.maskUrl);
    this.redraw();
  }

  setShown(shown: boolean): void {
    this.shown = shown;
    this.redraw();
  }

  paint(context: CanvasRenderingContext2D, surface: Surface): void {
    if (!this.shown) return;
    const { image } = surface;
    if (this.mask) {
      const r = toScreenRect(surface.view, { left: 0, top: 0, width: image.width, height: image.height });
      context.globalAlpha = 0.55;
      context.imageSmoothingEnabled = false;
      context.drawImage(this.mask, r.left * surface.ratio, r.top * surface.ratio, r.width * surface.ratio, r.height * surface.ratio);
      context.globalAlpha = 1;
    }
    const size = `${image.width} ${image.height}`;
    if (this.sizedFor !== size) {
      this.sizedFor = size;
      this.boxes.setImage(image);
      this.boxes.restore(this.value);
    }
    this.boxPainter.paint(context, surface);
  }

  private loadMask(url: string): void {
    const mask = document.createElement("img");
    mask.addEventListener("load", () => {
      this.mask = mask;
      this.redraw();
    });
    mask.addEventListener("error", () => mediaReports.report(url));
    mask.src = url;
  }
}
