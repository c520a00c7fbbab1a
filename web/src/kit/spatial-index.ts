import { intersects } from "./geometry.js";
import type { Rect } from "./geometry.js";

interface Entry<T> {
  readonly item: T;
  readonly rect: Rect;
  readonly order: number;
  readonly cells: readonly number[];
}

/**
 * Finds the rectangles that meet a window without looking at all of them.
 *
 * A hierarchy of grids: an item lies in the level whose cells are at least as
 * large as itself, hence in at most four cells, whatever its size; inserting
 * and removing cost the same for a flea and for an elephant. A query visits the
 * cells under the window on each level that holds anything, or all items when
 * that is fewer.
 */
export class SpatialIndex<T> {
  private readonly entries = new Map<T, Entry<T>>();
  private readonly cells = new Map<number, Set<Entry<T>>>();
  private readonly levelCount: number[] = [];
  private nextOrder = 0;

  constructor(private readonly finest = 64) {}

  get size(): number {
    return this.entries.size;
  }

  set(item: T, rect: Rect): void {
    const old = this.entries.get(item);
    if (old) this.removeEntry(old);
    const level = this.levelOf(rect);
    const cells = this.cellsOf(level, rect);
    const entry: Entry<T> = { item, rect, order: old?.order ?? this.nextOrder++, cells };
    this.entries.set(item, entry);
    this.levelCount[level] = (this.levelCount[level] ?? 0) + 1;
    for (const key of cells) {
      const cell = this.cells.get(key);
      if (cell) cell.add(entry);
      else this.cells.set(key, new Set([entry]));
    }
  }

  delete(item: T): void {
    const entry = this.entries.get(item);
    if (!entry) return;
    this.removeEntry(entry);
    this.entries.delete(item);
  }

  clear(): void {
    this.entries.clear();
    this.cells.clear();
    this.levelCount.length = 0;
    this.nextOrder = 0;
  }

  /** Items that meet the window, in the order in which they first came. */
  query(window: Rect): T[] {
    const found = this.cellCount(window) > this.entries.size ? this.scan(window) : this.visit(window);
    return found.sort((a, b) => a.order - b.order).map((entry) => entry.item);
  }

  private scan(window: Rect): Entry<T>[] {
    const found: Entry<T>[] = [];
    for (const entry of this.entries.values()) if (intersects(entry.rect, window)) found.push(entry);
    return found;
  }

  private visit(window: Rect): Entry<T>[] {
    const found = new Set<Entry<T>>();
    this.levelCount.forEach((count, level) => {
      if (count === 0) return;
      for (const key of this.cellsOf(level, window)) {
        for (const entry of this.cells.get(key) ?? []) if (intersects(entry.rect, window)) found.add(entry);
      }
    });
    return [...found];
  }

  private cellCount(window: Rect): number {
    let total = 0;
    this.levelCount.forEach((count, level) => {
      const side = this.finest * 2 ** level;
      if (count > 0) total += (window.width / side + 2) * (window.height / side + 2);
    });
    return total;
  }

  private removeEntry(entry: Entry<T>): void {
    const level = this.levelOf(entry.rect);
    this.levelCount[level] = (this.levelCount[level] ?? 1) - 1;
    for (const key of entry.cells) {
      const cell = this.cells.get(key);
      cell?.delete(entry);
      if (cell?.size === 0) this.cells.delete(key);
    }
  }

  private levelOf(rect: Rect): number {
    const side = Math.max(rect.width, rect.height, 1);
    return Math.max(0, Math.ceil(Math.log2(side / this.finest)));
  }

  /** Keys hold level, row and column in one number: columns and rows stay within ±2^20. */
  private cellsOf(level: number, rect: Rect): number[] {
    const side = this.finest * 2 ** level;
    const keys: number[] = [];
    const lastColumn = Math.floor((rect.left + rect.width) / side);
    const lastRow = Math.floor((rect.top + rect.height) / side);
    for (let row = Math.floor(rect.top / side); row <= lastRow; row++) {
      for (let column = Math.floor(rect.left / side); column <= lastColumn; column++) {
        keys.push((level * 2 ** 21 + (row + 2 ** 20)) * 2 ** 21 + (column + 2 ** 20));
      }
    }
    return keys;
  }
}
