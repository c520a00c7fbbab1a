import { ReactiveElement } from "../../kit/reactive.js";
import type { PropertyDeclaration } from "../../kit/reactive.js";
import { switchProperty } from "../element/crowd-element.js";
import { iconWords, spokenName } from "../element/spoken-name.js";

/** What crowd-icon-button and crowd-fab have in common: an icon to press, which does nothing while it is disabled. */
export abstract class PressButton extends ReactiveElement {
  static override properties: Record<string, PropertyDeclaration> = {
    disabled: switchProperty,
    icon: {},
    label: {},
    // Not `title` itself: that property is the browser's own.
    tooltip: { attribute: "title" },
  };

  declare disabled: boolean;
  declare icon: string;
  declare label: string;

  constructor() {
    super();
    this.disabled = false;
    this.icon = "";
    this.label = "";
    // On the host and before the author's own listeners: scripts call element.click().
    this.addEventListener("click", (event) => {
      if (!this.disabled) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    });
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector("button")?.focus(options);
  }

  protected get spoken(): string {
    return spokenName(this, this.label, iconWords(this.icon)) || "Button";
  }
}
