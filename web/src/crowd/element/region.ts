import { defineElement } from "./crowd-element.js";

/**
 * A region: a child of a crowd element with content by the template's author.
 * It stays in the light tree, so the author's styles and scripts reach it, and
 * takes its place through the slot of its own name.
 */
export class Region extends HTMLElement {
  connectedCallback(): void {
    if (this.slot === "") this.slot = this.localName;
  }
}

const REGIONS = [
  "short-instructions",
  "full-instructions",
  "classification-target",
  "worker-comment",
  "short-summary",
  "detailed-instructions",
  "positive-example",
  "negative-example",
] as const;

export function defineRegions(): void {
  for (const tag of REGIONS) defineElement(tag, class extends Region {});
}

/** The region of a tag that belongs to the element itself, not to one nested in it. */
export function regionOf(host: Element, tag: string): HTMLElement | null {
  return host.querySelector<HTMLElement>(`:scope > ${tag}`);
}
