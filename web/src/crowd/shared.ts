// What parts of the bundle that come later use of the first: tools/webbuild
// leaves these modules out of them, and every other one in. A module that has
// state must stand here, or a part would have a second copy of it.

export { css, html, nothing } from "../kit/reactive.js";
export { icon } from "./button/icons.js";
export { Unreadable, defineElement, looseProperty, loosely } from "./element/crowd-element.js";
export { mediaReports } from "./form/media.js";
export { imageToolLook } from "./image-tool/image-tool-look.js";
export { ImageTool } from "./image-tool/image-tool.js";
export { gap, toolButton } from "./image-tool/toolbar.js";
export { BACKGROUND, ColourKey, earlierFrom, freshColour, rgbOf, segmentsFor } from "./segmentation/segments.pure.js";
export { clamp } from "../kit/geometry.js";
export { Labels } from "../kit/labels.js";
export { namesOf } from "../kit/loose.js";
export { isRecord } from "../kit/record.js";
export { reveal, sameView, toScreen } from "../kit/view.js";
