import { ReactiveElement } from "../../kit/reactive.js";
import { partsReady } from "../parts.js";

/**
 * Settles when the document is parsed and every crowd element in it has been
 * upgraded and rendered, and then tells the document so, once.
 */
export async function crowdElementsReady(): Promise<void> {
  await parsed();
  // After the listeners of DOMContentLoaded: some templates add elements there.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await rendered();
  document.dispatchEvent(new Event("all-crowd-elements-ready", { bubbles: true }));
  await rendered();
}

function parsed(): Promise<void> {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", () => resolve(), { once: true }));
}

async function rendered(): Promise<void> {
  for (;;) {
    await partsReady();
    const waiting = [...document.querySelectorAll("*")].filter((e): e is ReactiveElement => e instanceof ReactiveElement && (e.isUpdatePending || !e.hasUpdated));
    if (waiting.length === 0) return;
    await Promise.all(waiting.map((e) => e.updateComplete));
  }
}
