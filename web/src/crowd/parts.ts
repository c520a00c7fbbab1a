import * as shared from "./shared.js";

type Part = (shared: object) => void;

declare global {
  /** @outside */
  interface Window {
    /** What the first part lends the others, once it has run; they wait in a list until then. */
    fiducialCrowdShared?: object;
    fiducialCrowdParts?: Part[];
  }
}

/** The elements of the second part, and the file that it is in. */
const SEGMENTATION = "crowd-semantic-segmentation, crowd-instance-segmentation";
const FILE = "crowd-segmentation.js";

const own = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";
let coming: Promise<void> | null = null;

/**
 * Lets in the parts that came before this one, and fetches the one that is
 * missing when an element of it comes up. Who frames a template names the second
 * part's script where the template names one of its elements, so it is there
 * before the element is; this is for elements that a script makes up.
 */
export function watchParts(): void {
  window.fiducialCrowdShared = shared;
  for (const part of window.fiducialCrowdParts?.splice(0) ?? []) part(shared);
  if (customElements.get("crowd-semantic-segmentation")) return;
  new MutationObserver((_, observer) => {
    if (!customElements.get("crowd-semantic-segmentation") && document.querySelector(SEGMENTATION)) void partsReady();
    if (coming || customElements.get("crowd-semantic-segmentation")) observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

/** Settles when every element that is in the document has come, or could not. */
export function partsReady(): Promise<void> {
  if (customElements.get("crowd-semantic-segmentation") || !document.querySelector(SEGMENTATION)) return Promise.resolve();
  coming ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = new URL(FILE, own).href;
    script.onload = script.onerror = () => resolve();
    document.head.append(script);
  });
  return coming;
}
