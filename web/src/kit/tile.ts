import type { Rect } from "./geometry.js";
import type { Raster } from "./png.js";

/** A part of a raster as runs: how often, what, how often, what. */
export type Tile = Uint16Array;

export function packTile(data: Raster, width: number, part: Rect): Tile {
  const runs: number[] = [];
  let value = -1;
  let length = 0;
  for (let y = part.top; y < part.top + part.height; y++) {
    const row = y * width;
    for (let x = part.left; x < part.left + part.width; x++) {
      const next = data[row + x] as number;
      if (next === value) length++;
      else {
        if (length > 0) runs.push(length, value);
        value = next;
        length = 1;
      }
    }
  }
  runs.push(length, value);
  return Uint16Array.from(runs);
}

export function unpackTile(tile: Tile, data: Raster, width: number, part: Rect): void {
  let at = 0;
  for (let i = 0; i < tile.length; i += 2) {
    for (let left = tile[i] as number; left > 0; ) {
      // A run may go on over several rows of the part.
      const x = at % part.width;
      const here = Math.min(left, part.width - x);
      const from = (part.top + Math.floor(at / part.width)) * width + part.left + x;
      data.fill(tile[i + 1] as number, from, from + here);
      at += here;
      left -= here;
    }
  }
}
