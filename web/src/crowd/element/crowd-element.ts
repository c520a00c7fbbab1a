import { ReactiveElement } from "../../kit/reactive.js";
import type { PropertyDeclaration } from "../../kit/reactive.js";
import { parseLoose } from "../../kit/loose.js";
import type { Contribution } from "../form/answer.pure.js";

/** A Boolean switch of a template: its presence counts, `disabled="true"` and `disabled=""` alike; only "false" is off. */
export const switchProperty: PropertyDeclaration<boolean> = {
  reflect: false,
  converter: { fromAttribute: (text: string | null) => text !== null && text !== "false" },
};

/** A switch that the element sets, too, so that its attribute always says how it is. */
export const reflectedSwitch: PropertyDeclaration<boolean> = {
  reflect: true,
  converter: { ...switchProperty.converter as object, toAttribute: (on: boolean) => (on ? "" : null) },
};

/** An attribute that holds a loose literal. The attribute itself stays as the author wrote it. */
export function looseProperty(attribute: string): PropertyDeclaration<unknown> {
  return { attribute, converter: { fromAttribute: readLoose } };
}

/** A literal that could not be read; kept as the property's value so that the element can say so. */
export class Unreadable {
  constructor(readonly message: string) {}
}

export function readLoose(text: string | null): unknown {
  if (text === null || text.trim() === "") return undefined;
  const read = parseLoose(text);
  return read.ok ? read.value : new Unreadable(read.message);
}

/** A property set by script may be the text of a literal, too. */
export function loosely(value: unknown): unknown {
  return typeof value === "string" ? readLoose(value) : value;
}

export function defineElement(tag: string, type: CustomElementConstructor): void {
  if (!customElements.get(tag)) customElements.define(tag, type);
}

/**
 * A crowd element that takes part in the answer of its form.
 *
 * A field contributes what it has under its `name`, can be set from an earlier
 * answer, and says what keeps its answer from being handed in.
 */
export abstract class CrowdField extends ReactiveElement {
  static override properties: Record<string, PropertyDeclaration> = {
    name: { type: String, reflect: true },
    disabled: switchProperty,
    message: { state: true },
  };

  declare name: string;
  declare disabled: boolean;
  /** What is wrong with the field, shown beside it; empty when nothing is. */
  declare message: string;

  constructor() {
    super();
    this.name = "";
    this.disabled = false;
    this.message = "";
  }

  /** What the field adds to the answer; nothing when it is disabled or has no name. */
  contributions(): readonly Contribution[] {
    return this.disabled || this.name === "" ? [] : this.contribute();
  }

  protected abstract contribute(): readonly Contribution[];

  /** Sets the field from what an earlier answer has under its name. What does not fit is ignored. */
  abstract restore(value: unknown): void;

  /** Back to what the template said. */
  abstract reset(): void;

  /** Why the answer cannot be handed in, or the empty string. */
  problem(): string {
    return "";
  }

  /** Where a template's script may have put further fields within this one's shadow tree. */
  get moreFields(): ParentNode | null {
    return null;
  }

  /** Checks the field and shows or clears its message. */
  check(): boolean {
    this.message = this.disabled || this.outOfPlay ? "" : this.problem();
    return this.message === "";
  }

  /** Taken away by the author's script. In a tab or window that is not open a field is only out of sight. */
  private get outOfPlay(): boolean {
    return !this.checkVisibility() && this.closest("crowd-tab[hidden], crowd-modal:not([opened])") === null;
  }

  /** Tells the template's scripts and the form that the worker changed the field. */
  protected changed(): void {
    if (this.message !== "") this.message = this.problem();
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }
}
