import type { Outline, Point, Rect, Size } from "./geometry.js";

/** One drawn thing. Never changed in place; `id` stays with it through edits. */
export interface Shape {
  readonly id: number;
  readonly label: string;
}

/** What an editor, its list and its answer must know about one kind of shape. */
export interface ShapeKind<S extends Shape> {
  /** The member of the answer that holds the shapes. */
  readonly member: string;
  /** The answer's members in their documented order: the shapes come first, or the picture's size does. */
  readonly shapesFirst: boolean;
  /** The answer says whether a given initial value was changed. */
  readonly tellsModified: boolean;
  /** A shape whose label is not among the labels is neither shown nor answered. */
  readonly knownLabelsOnly: boolean;
  bounds(shape: S): Rect;
  /** The line that attracts other shapes' points; null when there is nothing to snap to. */
  outline(shape: S): Outline | null;
  /** From p to the shape's line, 0 on it. */
  distance(shape: S, p: Point): number;
  encloses(shape: S, p: Point): boolean;
  area(shape: S): number;
  /** In whole pixels within the picture. */
  fit(shape: S, image: Size): S;
  /** Moved as a whole, and kept within the picture. */
  move(shape: S, dx: number, dy: number, image: Size): S;
  /** The same place, whatever the labels. */
  samePlace(a: S, b: S): boolean;
  /** From one entry of an initial value or an earlier answer; null when it is none. */
  read(entry: Record<string, unknown>, id: number, firstLabel: string): S | null;
  /** As the answer shows it, keys in their documented order. */
  write(shape: S): object;
  /** In a few characters, for the list. */
  brief(shape: S): string;
  /** In words, for screen readers. */
  spoken(shape: S): string;
}

/** A number of a template, which may come as text. */
export function numberFrom(value: unknown): number | undefined {
  const n = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof n === "number" && Number.isFinite(n) ? n : undefined;
}
