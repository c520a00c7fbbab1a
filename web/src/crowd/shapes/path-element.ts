import { html } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import type { Point } from "../../kit/geometry.js";
import { PathEditor } from "../../kit/path-editor.js";
import type { Path, PathKind } from "../../kit/path.js";
import type { Stage } from "../../kit/stage.js";
import type { Shortcut } from "../element/shortcut-sheet.js";
import { toolButton } from "../image-tool/toolbar.js";
import { PathPainter } from "./path-painter.js";
import { PathTool } from "./path-tool.js";
import { ShapesElement } from "./shapes-element.js";

/** What elements that draw points and lines through points have in common. */
export abstract class PathElement extends ShapesElement<Path, PathEditor> {
  protected readonly drawIcon: string = "polygon";
  private pathTool: PathTool | null = null;

  constructor(kind: PathKind) {
    super(new PathEditor(kind));
  }

  protected makePainter(): PathPainter {
    return new PathPainter(this.editor, this.editor.kind);
  }

  protected makeTool(stage: Stage, resting: PathPainter): PathTool {
    this.pathTool = new PathTool(stage, this.editor, resting, this.editor.kind, this.nouns.one);
    return this.pathTool;
  }

  protected override buttons(): TemplateResult {
    const { kind, draft } = this.editor;
    if (kind.most <= 2) return super.buttons();
    return html`${super.buttons()} ${toolButton("done", `End the ${this.nouns.one} (Enter)`, () => this.pathTool?.finish(), { disabled: draft.length < kind.least })}`;
  }

  protected override unfinished(): boolean {
    return this.editor.draft.length > 0;
  }

  protected override get strokes(): Readonly<Record<string, () => void>> {
    return { ...super.strokes, ...this.pathStrokes };
  }

  private readonly pathStrokes: Readonly<Record<string, () => void>> = {
    enter: () => this.pathTool?.finish(),
    ".": () => this.editor.stepPoint(1),
    ",": () => this.editor.stepPoint(-1),
    i: () => this.editor.splitAfterActive(),
  };

  protected addByKey(): void {
    if (this.stage?.ready) this.pathTool?.placeAtAim();
  }

  /** While a path is being drawn its last point; otherwise the active point or the selected path. */
  protected removeSelected(): void {
    if (this.editor.draft.length > 0) this.editor.undo();
    else this.editor.removeActive();
  }

  protected override onArrow(direction: Point, by: number, mod: boolean): boolean {
    if (this.editor.draft.length === 0 || !this.stage) return super.onArrow(direction, by, mod);
    // The cursor moves by what one can see: never less than a pixel of the screen.
    const step = Math.max(1, Math.round(1 / this.stage.view.scale)) * by * (mod ? 5 : 1);
    this.pathTool?.moveAim(direction.x * step, direction.y * step);
    return true;
  }

  protected nudge(dx: number, dy: number): void {
    this.editor.nudgeActive(dx, dy);
  }

  protected get ownShortcuts(): readonly Shortcut[] {
    const { kind } = this.editor;
    const { one } = this.nouns;
    if (kind.single) {
      return [
        ["Click", "place a keypoint; on a keypoint: select it"],
        ["Drag", "place it where it is let go; move a keypoint"],
        ["N", "new keypoint in the middle"],
      ];
    }
    const rows: Shortcut[] = [
      ["Click", `add a point to the ${one}`],
      ["N, then arrow keys", "add a point by keyboard; move the cursor to the next"],
    ];
    if (kind.most === 2) rows[0] = ["Drag, or two clicks", "draw a line"];
    else {
      rows.push(
        ["Enter, click the last point", `end the ${one}`],
        ["Shift + move", "draw freehand"],
        ["Backspace", "take back the last point"],
        ["Drag a small round handle, double click a line, I", "insert a point"],
        ["Alt + click a point, Delete", "delete a point"],
      );
      if (kind.closed) rows.push(["Click the first point", "close the polygon"]);
    }
    rows.push([", and .", "previous and next point of what is selected"], ["Shift + click", `draw on the selected ${one}`]);
    return rows;
  }
}
