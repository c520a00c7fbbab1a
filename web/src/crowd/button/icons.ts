import { html, nothing, svg } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { PATHS } from "./icon-paths.js";

type Drawing = TemplateResult | typeof nothing;

/** Stands for a name that we have no drawing for, so that the button has a face. */
const UNKNOWN = "M12 4l8 8-8 8-8-8Z";

/** The drawing of a name, with or without the set's prefix ("icons:search"); nothing for a name that we do not have. */
export function icon(name: string): Drawing {
  const path = pathOf(name);
  return path === undefined ? nothing : drawing(path);
}

/** What the author of a template named as icon: a name, or the URL of a picture. */
export function authorIcon(name: string): Drawing {
  if (name === "") return nothing;
  if (/^(data|blob):|[/.]/.test(name)) return html`<img class="icon" src=${name} alt="" />`;
  return drawing(pathOf(name) ?? UNKNOWN);
}

function pathOf(name: string): string | undefined {
  const bare = name.replace(/^.*:/, "");
  const path = Object.hasOwn(PATHS, bare) ? PATHS[bare] : undefined;
  return path === undefined || /^m/i.test(path) && /\d/.test(path) ? path : PATHS[path];
}

function drawing(path: string): TemplateResult {
  return svg`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${path}></path></svg>`;
}
