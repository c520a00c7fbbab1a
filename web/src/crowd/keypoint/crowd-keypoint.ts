import { PathKind } from "../../kit/path.js";
import { defineElement } from "../element/crowd-element.js";
import { PathElement } from "../shapes/path-element.js";
import { defineShapeParts } from "../shapes/shapes-element.js";
import type { Nouns } from "../shapes/shapes-element.js";

const KIND = new PathKind({ member: "keypoints", tellsModified: false, closed: false, least: 1, most: 1 });

/** Draws keypoints on a picture. Answers `{inputImageProperties, keypoints}`, in the picture's stored pixels. */
export class CrowdKeypoint extends PathElement {
  protected readonly nouns: Nouns = { one: "keypoint", many: "keypoints", title: "Keypoints", advice: "Choose a label and click the picture." };
  protected override readonly drawIcon = "keypoint";

  constructor() {
    super(KIND);
  }
}

export function defineKeypoint(): void {
  defineShapeParts();
  defineElement("crowd-keypoint", CrowdKeypoint);
}
