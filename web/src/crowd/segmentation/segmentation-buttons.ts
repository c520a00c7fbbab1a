import { html, nothing } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { gap, toolButton } from "../image-tool/toolbar.js";
import type { Mode } from "./paint-tool.js";

interface ModeText {
  readonly icon: string;
  readonly name: string;
  readonly key: string;
  /** For the sheet of keys. */
  readonly what: string;
  /** For the panel. */
  readonly advice: string;
  /** Whether it looks at the picture's colours. */
  readonly looks: boolean;
}

export const MODES: Readonly<Record<Mode, ModeText>> = {
  brush: { icon: "brush", name: "Brush", key: "b", what: "brush", advice: "Drag over what belongs to the label. [ and ] change the size.", looks: false },
  eraser: { icon: "eraser", name: "Eraser", key: "e", what: "eraser", advice: "Drag over what belongs to no label. [ and ] change the size.", looks: false },
  polygon: { icon: "polygon", name: "Outline", key: "p", what: "outline: click corners, or drag", advice: "Click corner after corner, or drag along the border. End at the first corner, with Enter, or with a double click.", looks: false },
  fill: { icon: "fill", name: "Fill", key: "g", what: "fill the area of one label", advice: "Click an area that has one label, or none: all of it gets the label in hand.", looks: false },
  wand: { icon: "wand", name: "Alike", key: "w", what: "paint the area of like colour", advice: "Click: the area around of like colour gets the label.", looks: true },
  patches: { icon: "patches", name: "Patches", key: "s", what: "paint patches of like colour (superpixels)", advice: "The picture is cut into patches that follow its edges. Click or drag over those that belong to the label.", looks: true },
  outline: { icon: "outline", name: "Automatic outline", key: "a", what: "automatic outline from four points", advice: "Click the object's leftmost, topmost, rightmost and bottommost points, in any order. The rest is found.", looks: true },
};

export interface ButtonsState {
  readonly mode: Mode;
  readonly size: number;
  readonly tolerance: number;
  readonly patchSize: number;
  readonly keep: boolean;
  /** Whether the picture's colours can be looked at. */
  readonly looks: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly largest: number;
}

export interface ButtonsActions {
  useMode(mode: Mode): void;
  setSize(size: number): void;
  setTolerance(tolerance: number): void;
  setPatchSize(size: number): void;
  toggleKeep(): void;
  undo(): void;
  redo(): void;
}

export function segmentationButtons(state: ButtonsState, actions: ButtonsActions): TemplateResult {
  const mode = (name: Mode): TemplateResult => {
    const { icon, name: label, key, looks } = MODES[name];
    const off = looks && !state.looks;
    return toolButton(icon, `${label} (${key.toUpperCase()})${off ? ": the picture's pixels cannot be read" : ""}`, () => actions.useMode(name), { pressed: state.mode === name, disabled: off });
  };
  return html`
    ${mode("brush")} ${mode("eraser")} ${mode("polygon")} ${mode("fill")} ${gap} ${mode("wand")} ${mode("patches")} ${mode("outline")} ${gap} ${measure(state, actions)}
    ${toolButton("lock", "Keep other labels as they are (K)", () => actions.toggleKeep(), { pressed: state.keep })} ${gap}
    ${toolButton("undo", "Undo (Ctrl+Z)", () => actions.undo(), { disabled: !state.canUndo })} ${toolButton("redo", "Redo (Ctrl+Shift+Z)", () => actions.redo(), { disabled: !state.canRedo })}
  `;
}

/** The slider of the tool in hand. */
function measure({ mode, size, tolerance, patchSize, largest }: ButtonsState, actions: ButtonsActions): TemplateResult | typeof nothing {
  if (mode === "wand") return range("Tolerance", tolerance, 0, 128, (n) => actions.setTolerance(n), "input");
  if (mode === "patches") return range("Patch size", patchSize, 6, 400, (n) => actions.setPatchSize(n), "change");
  if (mode !== "brush" && mode !== "eraser") return nothing;
  // Small brushes need fine steps and large ones coarse steps.
  return range("Size", size, 1, largest, (n) => actions.setSize(n), "input");
}

function range(label: string, value: number, min: number, max: number, set: (n: number) => void, when: "input" | "change"): TemplateResult {
  const steps = 100;
  const curve = max > 200 ? 3 : 1;
  const toStep = (n: number): number => Math.round(steps * ((n - min) / (max - min)) ** (1 / curve));
  const toValue = (step: number): number => Math.round(min + (max - min) * (step / steps) ** curve);
  const hear = (event: Event): void => {
    // How a tool is set is no edit of the answer.
    event.stopPropagation();
    if (event.type === when) set(toValue(Number((event.target as HTMLInputElement).value)));
  };
  return html`
    <label class="measure" title=${label}
      ><span>${label}</span><input type="range" min="0" max=${steps} .value=${String(toStep(value))} aria-valuetext=${String(value)} @input=${hear} @change=${hear} /><output>${value}</output></label
    >
  `;
}
