import { alikeArea, smoothMask } from "../../kit/flood.js";
import { clamp } from "../../kit/geometry.js";
import type { Point, Rect } from "../../kit/geometry.js";
import type { LabelMap, Over } from "../../kit/label-map.js";
import { Offload } from "../../kit/offload.js";
import type { PixelSource, Pixels } from "../../kit/pixels.js";
import type { Patches } from "../../kit/slic.js";
import type { Surface } from "../../kit/stage.js";

/** So many pixels of a picture are looked at, at most; a larger one is looked at made smaller. */
const ALIKE_PIXELS = 4e6;
const PATCH_PIXELS = 1.2e6;
const CUT_PIXELS = 110_000;
const COMPACTNESS = 20;

/** The tools that look at the picture's colours. All of them paint in steps of their own. */
export class PixelTools {
  source: PixelSource | null = null;
  map: LabelMap | null = null;
  /** How much colours may differ and still be alike, in each channel. */
  tolerance = 24;
  private whole: Pixels | null = null;
  private patches: (Patches & { readonly width: number; readonly height: number; readonly boxes: Int32Array }) | null = null;
  private patchSize = 0;
  private borders: HTMLCanvasElement | null = null;
  private hovered = -1;
  private readonly offload = new Offload();

  /** Work begins that takes a while (its name), or has ended (""). */
  onWork: (what: string) => void = () => {};
  /** Something was painted that the tool did not wait for. */
  onStep: () => void = () => {};
  /** What lies over the segments has to be drawn again. */
  onLook: () => void = () => {};

  /** Another picture. */
  open(source: PixelSource | null, map: LabelMap): void {
    this.offload.cancel();
    this.source = source;
    this.map = map;
    this.whole = this.patches = this.borders = null;
    this.patchSize = 0;
  }

  // Areas alike

  paintAlike(at: Point, value: number, over: Over): void {
    const { map, source } = this;
    if (!map?.inside(Math.floor(at.x), Math.floor(at.y)) || !source) return;
    this.whole ??= source.read(wholeOf(map), ALIKE_PIXELS);
    const { rgba, width, height } = this.whole;
    const [sx, sy] = [width / map.size.width, height / map.size.height];
    const found = alikeArea(rgba, width, height, clamp(Math.floor(at.x * sx), 0, width - 1), clamp(Math.floor(at.y * sy), 0, height - 1), this.tolerance);
    const test = smoothMask(found.mask, width, height);
    const { box } = found;
    const part = { left: (box.left - 1) / sx, top: (box.top - 1) / sy, width: (box.width + 2) / sx, height: (box.height + 2) / sy };
    map.where(part, (x, y) => test((x + 0.5) * sx, (y + 0.5) * sy), value, over);
  }

  // Patches

  /** Cuts the picture into patches of about so many picture pixels across, if that is not done yet. */
  async makePatches(size: number): Promise<void> {
    const { map, source } = this;
    if (!map || !source || size === this.patchSize) return;
    this.patchSize = size;
    this.patches = this.borders = null;
    this.onWork("Finding patches of like colour…");
    const { rgba, width, height } = source.read(wholeOf(map), PATCH_PIXELS);
    const wanted = clamp((map.size.width * map.size.height) / (size * size), 4, (width * height) / 30);
    const patches = await this.offload.run("slic", rgba, width, height, wanted, COMPACTNESS);
    if (!patches) return;
    this.patches = { ...patches, width, height, boxes: boxesOf(patches, width) };
    this.borders = bordersOf(patches.labels, width, height);
    this.onWork("");
    this.onLook();
  }

  /** Gives the patches on the way from a to b a value. */
  paintPatches(a: Point, b: Point, value: number, over: Over): void {
    const steps = Math.ceil(Math.hypot(b.x - a.x, b.y - a.y) / Math.max(1, this.patchSize / 3));
    let before = -1;
    for (let i = 0; i <= steps; i++) {
      const t = steps === 0 ? 1 : i / steps;
      const at = { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
      const patch = this.patchAt(at);
      if (patch >= 0 && patch !== before) this.paintPatch(patch, value, over);
      before = patch;
    }
  }

  private paintPatch(patch: number, value: number, over: Over): void {
    const { map, patches } = this;
    if (!map || !patches) return;
    const { labels, width, height, boxes } = patches;
    const [sx, sy] = [width / map.size.width, height / map.size.height];
    const [left, top, right, bottom] = boxes.subarray(4 * patch, 4 * patch + 4) as unknown as [number, number, number, number];
    const part = { left: left / sx, top: top / sy, width: (right + 1 - left) / sx, height: (bottom + 1 - top) / sy };
    map.where(part, (x, y) => labels[Math.floor((y + 0.5) * sy) * width + Math.floor((x + 0.5) * sx)] === patch, value, over);
  }

  /** Remembers the patch under the pointer, to show it. */
  look(at: Point): void {
    this.hovered = this.patchAt(at);
  }

  private patchAt(at: Point): number {
    const { map, patches } = this;
    if (!map?.inside(Math.floor(at.x), Math.floor(at.y)) || !patches) return -1;
    const x = Math.floor((at.x * patches.width) / map.size.width);
    const y = Math.floor((at.y * patches.height) / map.size.height);
    return patches.labels[y * patches.width + x] ?? -1;
  }

  /** The borders of the patches, and a frame around the one under the pointer. In CSS pixels. */
  paintBorders(context: CanvasRenderingContext2D, { view }: Surface): void {
    const { map, patches, borders } = this;
    if (!map || !patches || !borders) return;
    context.imageSmoothingEnabled = view.scale * map.size.width < borders.width;
    context.drawImage(borders, view.x, view.y, map.size.width * view.scale, map.size.height * view.scale);
    if (this.hovered < 0) return;
    const [sx, sy] = [(map.size.width * view.scale) / patches.width, (map.size.height * view.scale) / patches.height];
    const [left, top, right, bottom] = patches.boxes.subarray(4 * this.hovered, 4 * this.hovered + 4) as unknown as [number, number, number, number];
    context.fillStyle = "rgb(255 255 255 / 0.35)";
    for (let y = top; y <= bottom; y++) {
      for (let x = left, from = -1; x <= right + 1; x++) {
        const own = x <= right && patches.labels[y * patches.width + x] === this.hovered;
        if (own && from < 0) from = x;
        if (!own && from >= 0) {
          context.fillRect(view.x + from * sx, view.y + y * sy, (x - from) * sx, sy);
          from = -1;
        }
      }
    }
  }

  // Cutting out

  /** Finds the object whose outermost points these are. */
  async cutOut(points: readonly Point[], value: number, over: Over): Promise<void> {
    const { map, source } = this;
    if (!map || !source) return;
    const part = roomAround(points, map);
    const pixels = source.read(part, CUT_PIXELS);
    const [sx, sy] = [pixels.width / part.width, pixels.height / part.height];
    this.onWork("Finding the outline…");
    const mask = await this.offload.run("cutOut", pixels.rgba, pixels.width, pixels.height, points.flatMap(({ x, y }) => [(x - part.left) * sx, (y - part.top) * sy]));
    this.onWork("");
    if (!mask || map !== this.map) return;
    const test = smoothMask(mask, pixels.width, pixels.height);
    map.where(part, (x, y) => test((x + 0.5 - part.left) * sx, (y + 0.5 - part.top) * sy), value, over);
    map.commit();
    this.onStep();
  }

  cancel(): void {
    this.offload.cancel();
    if (!this.patches) this.patchSize = 0;
    this.onWork("");
  }
}

function wholeOf(map: LabelMap): Rect {
  return { left: 0, top: 0, ...map.size };
}

/** The box around points with some of what surrounds them, from which the background's colours are learnt. */
function roomAround(points: readonly Point[], { size }: LabelMap): Rect {
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const by = 8 + 0.2 * Math.max(right - left, bottom - top);
  const from = { x: Math.floor(clamp(left - by, 0, size.width - 1)), y: Math.floor(clamp(top - by, 0, size.height - 1)) };
  return { left: from.x, top: from.y, width: Math.ceil(clamp(right + by, from.x + 1, size.width)) - from.x, height: Math.ceil(clamp(bottom + by, from.y + 1, size.height)) - from.y };
}

/** left, top, right, bottom of each patch. */
function boxesOf({ labels, count }: Patches, width: number): Int32Array {
  const boxes = new Int32Array(4 * count);
  for (let k = 0; k < count; k++) boxes.set([width, labels.length, -1, -1], 4 * k);
  for (let p = 0; p < labels.length; p++) {
    const at = 4 * (labels[p] as number);
    const [x, y] = [p % width, Math.floor(p / width)];
    if (x < (boxes[at] as number)) boxes[at] = x;
    if (y < (boxes[at + 1] as number)) boxes[at + 1] = y;
    if (x > (boxes[at + 2] as number)) boxes[at + 2] = x;
    if (y > (boxes[at + 3] as number)) boxes[at + 3] = y;
  }
  return boxes;
}

function bordersOf(labels: Int32Array, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  for (let p = 0; p < labels.length - width; p++) {
    if ((p + 1) % width === 0) continue;
    if (labels[p] !== labels[p + 1] || labels[p] !== labels[p + width]) out[p] = 0x99ffffff;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
