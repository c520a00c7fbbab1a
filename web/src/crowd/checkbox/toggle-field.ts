import type { PropertyDeclaration } from "../../kit/reactive.js";
import { CrowdField, switchProperty } from "../element/crowd-element.js";
import { flagOf } from "../form/answer.pure.js";
import type { Contribution } from "../form/answer.pure.js";

/** A field that is on or off; answers `{name: {value: on}}`. */
export abstract class ToggleField extends CrowdField {
  static override properties: Record<string, PropertyDeclaration> = {
    preset: { ...switchProperty, attribute: "checked" },
    checked: { attribute: false },
    required: switchProperty,
    value: {},
  };

  declare preset: boolean;
  declare required: boolean;
  declare value: string;

  private on: boolean | null = null;

  constructor() {
    super();
    this.preset = false;
    this.required = false;
    this.value = "on";
  }

  get checked(): boolean {
    return this.on ?? this.preset;
  }

  set checked(checked: boolean) {
    const old = this.checked;
    this.on = Boolean(checked);
    this.requestUpdate("checked", old);
  }

  get _submittableValue(): Record<string, boolean> {
    return { [this.flag]: this.checked };
  }

  private get flag(): string {
    return this.value || "on";
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, flag: this.flag, on: this.checked }];
  }

  restore(value: unknown): void {
    const on = flagOf(value, this.flag);
    if (on !== null) this.checked = on;
  }

  reset(): void {
    this.on = null;
    this.message = "";
    this.requestUpdate("checked");
  }
}
