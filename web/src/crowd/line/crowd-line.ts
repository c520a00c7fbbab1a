import { PathKind } from "../../kit/path.js";
import { defineElement } from "../element/crowd-element.js";
import { LineElement } from "../shapes/line-element.js";
import { defineShapeParts } from "../shapes/shapes-element.js";
import type { Nouns } from "../shapes/shapes-element.js";

const KIND = new PathKind({ member: "lines", tellsModified: true, closed: false, least: 2, most: 2 });

/** Draws lines on a picture. Answers `{inputImageProperties, lines}`, in the picture's stored pixels. */
export class CrowdLine extends LineElement {
  protected readonly nouns: Nouns = { one: "line", many: "lines", title: "Lines", advice: "Drag from one end to the other, or click both." };
  protected override readonly drawIcon = "line";

  constructor() {
    super(KIND);
  }
}

export function defineLine(): void {
  defineShapeParts();
  defineElement("crowd-line", CrowdLine);
}
