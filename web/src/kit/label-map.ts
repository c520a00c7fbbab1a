import { clamp } from "./geometry.js";
import type { Rect, Size } from "./geometry.js";
import type { Raster } from "./png.js";
import { packTile, unpackTile } from "./tile.js";
import type { Tile } from "./tile.js";

const TILE = 128;
/** What undo may keep, in bytes of packed tiles. */
const KEEP = 64 << 20;

interface Step {
  readonly tiles: ReadonlyMap<number, Tile>;
  readonly bytes: number;
}

/** Which values a stroke may cover: all, or only 0 (nothing). */
export type Over = "all" | "nothing";

/**
 * One value for each pixel of a picture, 0 for none, with undo.
 *
 * What a step changes is kept as the tiles it touched, packed as runs: a stroke
 * costs some kilobytes. The oldest steps go when all of them take more than 64 MB.
 */
export class LabelMap {
  private cells: Raster;
  private readonly across: number;
  private past: Step[] = [];
  private future: Step[] = [];
  private open = new Map<number, Tile>();
  private readonly counts: number[] = [];

  /** The part that has changed just now, in pixels. */
  onChange: (changed: Rect) => void = () => {};

  constructor(
    readonly size: Size,
    private readonly room = KEEP,
  ) {
    this.cells = new Uint8Array(size.width * size.height);
    this.across = Math.ceil(size.width / TILE);
    this.counts[0] = this.cells.length;
  }

  get data(): Raster {
    return this.cells;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** How many pixels have the value. */
  countOf(value: number): number {
    return this.counts[value] ?? 0;
  }

  at(x: number, y: number): number {
    return this.inside(x, y) ? (this.cells[y * this.size.width + x] as number) : 0;
  }

  inside(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < this.size.width && y < this.size.height;
  }

  /** Gives the pixels of a row from `left` up to but without `right` a value. Belongs to the step that `commit` ends. */
  span(y: number, left: number, right: number, value: number, over: Over = "all"): void {
    const { width, height } = this.size;
    const from = Math.max(0, left);
    const to = Math.min(width, right);
    if (y < 0 || y >= height || from >= to) return;
    this.makeRoomFor(value);
    const row = y * width;
    const { cells, counts } = this;
    let kept = -1;
    for (let x = from; x < to; x++) {
      const old = cells[row + x] as number;
      if (old === value || (over === "nothing" && old !== 0)) continue;
      const column = Math.floor(x / TILE);
      if (column !== kept) this.keep(Math.floor(y / TILE) * this.across + column);
      kept = column;
      counts[old] = (counts[old] as number) - 1;
      counts[value] = (counts[value] ?? 0) + 1;
      cells[row + x] = value;
    }
  }

  /** Gives the pixels of a part that a test takes a value. */
  where(part: Rect, takes: (x: number, y: number) => boolean, value: number, over: Over = "all"): void {
    const { left, top, right, bottom } = this.clipped(part);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        if (!takes(x, y)) continue;
        const from = x;
        while (x < right && takes(x, y)) x++;
        this.span(y, from, x, value, over);
      }
    }
    this.changed(part);
  }

  /** Takes over all values at once, as what there was from the start: it cannot be undone. */
  replace(value: (x: number, y: number) => number): void {
    this.past = [];
    this.future = [];
    this.open.clear();
    this.counts.length = 0;
    const { width, height } = this.size;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const v = value(x, y);
        this.makeRoomFor(v);
        this.cells[y * width + x] = v;
        this.counts[v] = (this.counts[v] ?? 0) + 1;
      }
    }
    this.onChange({ left: 0, top: 0, width, height });
  }

  /** Says that a part may have changed, so that it is drawn. */
  changed(part: Rect): void {
    const { left, top, right, bottom } = this.clipped(part);
    if (left < right && top < bottom) this.onChange({ left, top, width: right - left, height: bottom - top });
  }

  /** Ends a step. False when nothing was changed since the last. */
  commit(): boolean {
    if (this.open.size === 0) return false;
    this.past.push(stepOf(this.open));
    this.open = new Map();
    this.future = [];
    let bytes = this.past.reduce((sum, step) => sum + step.bytes, 0);
    while (bytes > this.room && this.past.length > 1) bytes -= this.past.shift()?.bytes ?? 0;
    return true;
  }

  /** Takes back what was done since the last step. */
  abandon(): void {
    this.swap(this.open);
    this.open = new Map();
  }

  undo(): boolean {
    return this.travel(this.past, this.future);
  }

  redo(): boolean {
    return this.travel(this.future, this.past);
  }

  private travel(from: Step[], to: Step[]): boolean {
    if (this.open.size > 0) this.commit();
    const step = from.pop();
    if (!step) return false;
    to.push(stepOf(this.swap(step.tiles)));
    return true;
  }

  /** Puts tiles in place and gives those that were there. */
  private swap(tiles: ReadonlyMap<number, Tile>): Map<number, Tile> {
    const before = new Map<number, Tile>();
    for (const [index, tile] of tiles) {
      const part = this.tileRect(index);
      before.set(index, packTile(this.cells, this.size.width, part));
      this.tally(part, -1);
      unpackTile(tile, this.cells, this.size.width, part);
      this.tally(part, 1);
      this.onChange(part);
    }
    return before;
  }

  private tally(part: Rect, by: number): void {
    for (let y = part.top; y < part.top + part.height; y++) {
      const row = y * this.size.width;
      for (let x = part.left; x < part.left + part.width; x++) {
        const value = this.cells[row + x] as number;
        this.counts[value] = (this.counts[value] ?? 0) + by;
      }
    }
  }

  private keep(index: number): void {
    if (!this.open.has(index)) this.open.set(index, packTile(this.cells, this.size.width, this.tileRect(index)));
  }

  private tileRect(index: number): Rect {
    const left = (index % this.across) * TILE;
    const top = Math.floor(index / this.across) * TILE;
    return { left, top, width: Math.min(TILE, this.size.width - left), height: Math.min(TILE, this.size.height - top) };
  }

  private clipped(part: Rect): { left: number; top: number; right: number; bottom: number } {
    const { width, height } = this.size;
    return {
      left: clamp(Math.floor(part.left), 0, width),
      top: clamp(Math.floor(part.top), 0, height),
      right: clamp(Math.ceil(part.left + part.width), 0, width),
      bottom: clamp(Math.ceil(part.top + part.height), 0, height),
    };
  }

  /** Values above 255 need two bytes each. */
  private makeRoomFor(value: number): void {
    if (value > 255 && this.cells instanceof Uint8Array) this.cells = Uint16Array.from(this.cells);
  }
}

function stepOf(tiles: ReadonlyMap<number, Tile>): Step {
  let bytes = 0;
  for (const tile of tiles.values()) bytes += tile.byteLength + 64;
  return { tiles, bytes };
}
