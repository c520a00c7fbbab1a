import type { Stage } from "../../kit/stage.js";
import { defineElement } from "../element/crowd-element.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { ShapesElement, defineShapeParts } from "../shapes/shapes-element.js";
import type { Nouns } from "../shapes/shapes-element.js";
import { BoxPainter } from "./box-painter.js";
import { BoxTool } from "./box-tool.js";
import { BoxEditor } from "./boxes.pure.js";
import type { Box } from "./boxes.pure.js";

/** Draws boxes on a picture. Answers `{boundingBoxes, inputImageProperties}`, in the picture's stored pixels. */
export class CrowdBoundingBox extends ShapesElement<Box, BoxEditor> {
  protected readonly nouns: Nouns = { one: "box", many: "boxes", title: "Boxes", advice: "Choose a label and drag over the picture." };
  protected readonly drawIcon = "box";
  protected readonly ownShortcuts: readonly Shortcut[] = [
    ["Drag", "draw a box; on the selected box: move or resize"],
    ["Shift + drag", "draw inside the selected box"],
    ["Click", "select a box"],
    ["N", "new box in the middle"],
    ["Ctrl + arrow keys", "change its size"],
  ];

  constructor() {
    super(new BoxEditor());
  }

  protected makePainter(): BoxPainter {
    return new BoxPainter(this.editor);
  }

  protected makeTool(stage: Stage, resting: BoxPainter): BoxTool {
    return new BoxTool(stage, this.editor, resting);
  }

  protected addByKey(): void {
    if (!this.stage?.ready) return;
    const { view, screen } = this.stage;
    const [width, height] = [screen.width / 4 / view.scale, screen.height / 4 / view.scale];
    const middle = { x: (screen.width / 2 - view.x) / view.scale, y: (screen.height / 2 - view.y) / view.scale };
    const added = this.editor.add({ left: middle.x - width / 2, top: middle.y - height / 2, width, height });
    if (!added) this.hint = "There is no label yet to give to a box.";
  }

  protected removeSelected(): void {
    if (this.editor.selected) this.editor.remove(this.editor.selected.id);
  }

  protected nudge(dx: number, dy: number, mod: boolean): void {
    const box = this.editor.selected;
    if (!box) return;
    if (mod) this.editor.stretch(box.id, dx, dy);
    else this.editor.nudge(box.id, dx, dy);
  }
}

export function defineBoundingBox(): void {
  defineShapeParts();
  defineElement("crowd-bounding-box", CrowdBoundingBox);
}
