import { PathKind } from "../../kit/path.js";
import { defineElement } from "../element/crowd-element.js";
import { LineElement } from "../shapes/line-element.js";
import { defineShapeParts } from "../shapes/shapes-element.js";
import type { Nouns } from "../shapes/shapes-element.js";

const KIND = new PathKind({ member: "polylines", tellsModified: true, closed: false, least: 2, most: Infinity });

/** Draws polylines on a picture. Answers `{inputImageProperties, polylines}`, in the picture's stored pixels. */
export class CrowdPolyline extends LineElement {
  protected readonly nouns: Nouns = { one: "polyline", many: "polylines", title: "Polylines", advice: "Click along the line; end it with Enter." };
  protected override readonly drawIcon = "polyline";

  constructor() {
    super(KIND);
  }
}

export function definePolyline(): void {
  defineShapeParts();
  defineElement("crowd-polyline", CrowdPolyline);
}
