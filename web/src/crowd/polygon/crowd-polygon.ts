import { PathKind } from "../../kit/path.js";
import { defineElement } from "../element/crowd-element.js";
import { PathElement } from "../shapes/path-element.js";
import { defineShapeParts } from "../shapes/shapes-element.js";
import type { Nouns } from "../shapes/shapes-element.js";

const KIND = new PathKind({ member: "polygons", tellsModified: false, closed: true, least: 3, most: Infinity });

/** Draws polygons on a picture. Answers `{inputImageProperties, polygons}`, in the picture's stored pixels. */
export class CrowdPolygon extends PathElement {
  protected readonly nouns: Nouns = { one: "polygon", many: "polygons", title: "Polygons", advice: "Click around the thing; close at the first point or with Enter." };
  protected override readonly drawIcon = "polygon";

  constructor() {
    super(KIND);
  }
}

export function definePolygon(): void {
  defineShapeParts();
  defineElement("crowd-polygon", CrowdPolygon);
}
