import { labelColour } from "../../kit/colours.js";
import { namesOf } from "../../kit/loose.js";
import { isRecord } from "../../kit/record.js";
import type { Painter, Surface } from "../../kit/stage.js";
import { toScreenRect } from "../../kit/view.js";
import { BoxPainter } from "../bounding-box/box-painter.js";
import { BoxEditor } from "../bounding-box/boxes.pure.js";
import { mediaReports } from "../form/media.js";
import { ColourKey, colourFrom } from "../segmentation/segments.pure.js";

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
  private mask: Mask | null = null;
  private value: unknown = null;
  private shown = true;
  private sizedFor = "";
  private url = "";

  constructor(private readonly redraw: () => void) {}

  show(overlay: Overlay): void {
    this.boxes.labels.set(overlay.labels);
    this.value = overlay.boxes;
    this.sizedFor = "";
    this.mask = null;
    this.url = overlay.maskUrl;
    if (overlay.maskUrl !== "") void this.loadMask(overlay);
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
      context.globalAlpha = this.mask.clear ? 0.6 : 0.9;
      // What lies under nothing is white, and white times the picture is the picture.
      context.globalCompositeOperation = this.mask.clear ? "source-over" : "multiply";
      context.imageSmoothingEnabled = false;
      context.drawImage(this.mask.image, r.left * surface.ratio, r.top * surface.ratio, r.width * surface.ratio, r.height * surface.ratio);
      context.globalAlpha = 1;
      context.globalCompositeOperation = "source-over";
    }
    const size = `${image.width} ${image.height}`;
    if (this.sizedFor !== size) {
      this.sizedFor = size;
      this.boxes.setImage(image);
      this.boxes.restore(this.value);
    }
    this.boxPainter.paint(context, surface);
  }

  private async loadMask(overlay: Overlay): Promise<void> {
    const url = overlay.maskUrl;
    const mask = await readMask(url, overlay.legend).catch(() => null);
    if (url !== this.url) return;
    if (!mask) mediaReports.report(url);
    this.mask = mask;
    this.redraw();
  }
}

/** A picture of segments to lay over another. Clear: where there is no segment one sees through it. */
interface Mask {
  readonly image: CanvasImageSource;
  readonly clear: boolean;
}

/** Reads the picture's pixels where its bucket lets pages do that (CORS), to see through what is no segment. */
async function readMask(url: string, legend: Overlay["legend"]): Promise<Mask> {
  try {
    const segments = legend.map(({ label, colour }) => ({ label, colour: colourFrom(colour) })).filter(({ colour }) => colour !== "");
    if (segments.length > 0) return { image: cutOut(await loadMedia(url, true), new ColourKey(segments)), clear: true };
  } catch {
    // Without leave it can be shown all the same.
  }
  return { image: await loadMedia(url, false), clear: false };
}

async function loadMedia(url: string, withLeave: boolean): Promise<HTMLImageElement> {
  const image = document.createElement("img");
  if (withLeave) image.crossOrigin = document.documentElement.dataset.media === "credentials" ? "use-credentials" : "anonymous";
  image.src = url;
  await image.decode();
  return image;
}

/** So many rows are looked at at once. */
const STRIP = 256;

function cutOut(image: HTMLImageElement, key: ColourKey): HTMLCanvasElement {
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser has no 2D canvas.");
  context.drawImage(image, 0, 0);
  for (let top = 0; top < height; top += STRIP) {
    const part = context.getImageData(0, top, width, Math.min(STRIP, height - top));
    const { data } = part;
    for (let i = 0; i < data.length; i += 4) {
      if (key.valueOf(data[i] as number, data[i + 1] as number, data[i + 2] as number, data[i + 3] as number) === 0) data[i + 3] = 0;
    }
    context.putImageData(part, 0, top);
  }
  return canvas;
}
