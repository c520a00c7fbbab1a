import { isRecord } from "../../kit/record.js";
import type { Rgb } from "../../kit/png.js";

/** What a value of the label map stands for. The n-th segment has the value n + 1; 0 is nothing. */
export interface Segment {
  readonly label: string;
  readonly colour: string;
}

/** What lies under nothing: white, as in Ground Truth's colour maps. */
export const BACKGROUND = "#ffffff";

// The colours that Ground Truth's own tool gives, in its order.
const FIRST = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"] as const;
const GOLDEN_ANGLE = 137.508;

/** A colour that is not among those taken; the first ones are Ground Truth's. */
export function freshColour(taken: ReadonlySet<string>): string {
  for (const colour of FIRST) if (!taken.has(colour)) return colour;
  for (let n = 0; ; n++) {
    // Round the wheel of hues; then again lighter and darker.
    const colour = fromHsl((n * GOLDEN_ANGLE) % 360, 0.45 + 0.4 * ((n / 7) % 1), 0.3 + 0.4 * ((n / 11) % 1));
    if (!taken.has(colour) && colour !== BACKGROUND) return colour;
  }
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
  const part = (n: number): string => {
    const k = (n + hue / 30) % 12;
    const v = lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * v).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** Labels with the colours they were given, others with fresh ones in the order of the list. Labels that only the given colours know follow. */
export function segmentsFor(labels: readonly string[], given: readonly Segment[]): Segment[] {
  const known = new Map(given.map(({ label, colour }) => [label, colour]));
  const taken = new Set(known.values());
  // A label's colour is that of its place, whatever others were given, unless somebody has it.
  const own = labels.map((label, i) => {
    const usual = i < FIRST.length ? (FIRST[i] as string) : "";
    const colour = known.get(label) ?? (usual !== "" && !taken.has(usual) ? usual : freshColour(new Set([...taken, ...FIRST.slice(0, labels.length)])));
    taken.add(colour);
    return { label, colour };
  });
  return [...own, ...given.filter(({ label }) => !labels.includes(label))];
}

/** An earlier segmentation: what its colours mean, and where the picture of it is. */
export interface Earlier {
  readonly segments: readonly Segment[];
  readonly url: string;
}

/**
 * Reads an initial value (`{labelMappings, src}`) or an earlier answer
 * (`{labelMappings | instances, labeledImage}`). Null when it is neither.
 */
export function earlierFrom(value: unknown): Earlier | null {
  if (!isRecord(value)) return null;
  const url = urlOf(value);
  const entries = isRecord(value.labelMappings) ? Object.entries(value.labelMappings) : Array.isArray(value.instances) ? (value.instances as unknown[]).map((entry) => [null, entry] as const) : null;
  if (url === "" || !entries) return null;
  const segments: Segment[] = [];
  for (const [name, entry] of entries) {
    const label = name ?? (isRecord(entry) ? entry.label : null);
    const colour = colourFrom(isRecord(entry) ? entry.color : entry);
    if (typeof label === "string" && colour !== "") segments.push({ label, colour });
  }
  return { segments, url };
}

function urlOf(value: Record<string, unknown>): string {
  const image = value.labeledImage;
  if (isRecord(image) && typeof image.pngImageData === "string") return `data:image/png;base64,${image.pngImageData}`;
  return typeof value.src === "string" ? value.src : "";
}

/** "#rrggbb" in small letters, from that or "#rgb"; empty for anything else. */
export function colourFrom(value: unknown): string {
  if (typeof value !== "string") return "";
  const text = value.trim().toLowerCase();
  if (/^#[0-9a-f]{3}$/.test(text)) return text.replace(/[0-9a-f]/g, "$&$&");
  return /^#[0-9a-f]{6}$/.test(text) ? text : "";
}

export function rgbOf(colour: string): Rgb {
  const n = parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/**
 * Which value a colour of a picture means: the segment of that colour, or of one
 * so near that an encoder may have rounded it. What is see-through, or of no
 * segment's colour, is nothing.
 */
export class ColourKey {
  private readonly values = new Map<number, number>();

  constructor(private readonly segments: readonly Segment[]) {
    segments.forEach(({ colour }, i) => this.values.set(parseInt(colour.slice(1), 16), i + 1));
  }

  valueOf(r: number, g: number, b: number, alpha: number): number {
    if (alpha < 128) return 0;
    const key = (r << 16) | (g << 8) | b;
    let value = this.values.get(key);
    if (value === undefined) this.values.set(key, (value = this.nearest(r, g, b)));
    return value;
  }

  private nearest(r: number, g: number, b: number): number {
    const at = this.segments.findIndex(({ colour }) => rgbOf(colour).every((v, c) => Math.abs(v - ([r, g, b][c] as number)) <= 4));
    return at + 1;
  }
}
