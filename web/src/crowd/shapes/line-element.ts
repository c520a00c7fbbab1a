import type { PropertyDeclaration, PropertyValues } from "../../kit/reactive.js";
import { hexColour } from "../../kit/colours.js";
import { looseProperty, loosely } from "../element/crowd-element.js";
import { PathElement } from "./path-element.js";

/** Paths whose labels the template may colour. */
export abstract class LineElement extends PathElement {
  static override properties: Record<string, PropertyDeclaration> = {
    labelColors: looseProperty("label-colors"),
  };

  /** Hexadecimal codes for the labels, in their order. */
  declare labelColors: unknown;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("labelColors")) this.palette.setColours(this.colourList.map((colour) => hexColour(colour) ?? ""));
  }

  protected override literals(): readonly (readonly [string, unknown])[] {
    return [...super.literals(), ["label-colors", this.labelColors]];
  }

  protected override faults(): readonly string[] {
    const wrong = this.colourList.filter((colour) => hexColour(colour) === null);
    return [...super.faults(), ...wrong.map((colour) => `The attribute label-colors has ${JSON.stringify(colour)} where a hex code such as "#1f9bff" is expected.`)];
  }

  private get colourList(): readonly unknown[] {
    const value = loosely(this.labelColors);
    return Array.isArray(value) ? (value as unknown[]) : [];
  }
}
