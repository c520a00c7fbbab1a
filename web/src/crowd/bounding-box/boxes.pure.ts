import { area, clamp, contains, distanceToOutline, moveWithin, sameRect, snapToImage } from "../../kit/geometry.js";
import type { Outline, Point, Rect, Size } from "../../kit/geometry.js";
import { ShapeEditor } from "../../kit/shape-editor.js";
import { numberFrom } from "../../kit/shape.js";
import type { Shape, ShapeKind } from "../../kit/shape.js";

/** One drawn box. */
export interface Box extends Shape, Rect {}

export const boxKind: ShapeKind<Box> = {
  member: "boundingBoxes",
  shapesFirst: true,
  tellsModified: true,
  knownLabelsOnly: false,
  bounds: (box) => box,
  outline: (box): Outline => ({ points: cornersOf(box), closed: true }),
  distance: distanceToOutline,
  encloses: contains,
  area,
  fit: (box, image) => ({ ...box, ...snapToImage(box, image) }),
  move: (box, dx, dy, image) => ({ ...box, ...moveWithin(box, dx, dy, image) }),
  samePlace: sameRect,
  read: boxFrom,
  write: ({ height, label, left, top, width }) => ({ height, label, left, top, width }),
  brief: (box) => `${box.width} × ${box.height}`,
  spoken: (box) => `${box.label}, ${box.width} by ${box.height} pixels at ${box.left}, ${box.top}`,
};

export function cornersOf({ left, top, width, height }: Rect): Point[] {
  return [{ x: left, y: top }, { x: left + width, y: top }, { x: left + width, y: top + height }, { x: left, y: top + height }];
}

/** Numbers may come as text. Without a label the first one is taken. */
function boxFrom(entry: Record<string, unknown>, id: number, firstLabel: string): Box | null {
  const [left, top, width, height] = [entry.left, entry.top, entry.width, entry.height].map(numberFrom);
  if (left === undefined || top === undefined || width === undefined || height === undefined) return null;
  if (width <= 0 || height <= 0) return null;
  return { id, label: typeof entry.label === "string" ? entry.label : firstLabel, left, top, width, height };
}

/** The drawing of a bounding-box task. */
export class BoxEditor extends ShapeEditor<Box> {
  constructor() {
    super(boxKind);
  }

  /** Adds a box under the label in hand and selects it; null when there is no label to give. */
  add(rect: Rect): Box | null {
    return this.insert((id, label) => ({ id, label, left: rect.left, top: rect.top, width: rect.width, height: rect.height }));
  }

  place(id: number, rect: Rect): void {
    const box = this.find(id);
    if (box) this.replaceShape({ ...box, left: rect.left, top: rect.top, width: rect.width, height: rect.height });
  }

  /** Moves the right and bottom edges. */
  stretch(id: number, dx: number, dy: number): void {
    const { image } = this;
    this.update(id, (box) => stretched(box, dx, dy, image), `stretch ${id}`);
  }
}

function stretched(box: Box, dx: number, dy: number, image: Size): Box {
  return { ...box, width: clamp(box.width + dx, 1, image.width - box.left), height: clamp(box.height + dy, 1, image.height - box.top) };
}
