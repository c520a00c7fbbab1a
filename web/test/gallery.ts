// The examples of the gallery as documents: one of every crowd element.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { WEB, crowdScripts } from "./browser/harness.js";

const FOLDER = join(WEB, "src", "gallery");

/** Examples by the name of their element, with their pictures in them. */
export function gallery(): Map<string, string> {
  const files = readdirSync(FOLDER);
  const text = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
  const pictures = files.filter((name) => name.endsWith(".svg")).map((name) => [`{{${name.replace(".svg", "")}}}`, `data:image/svg+xml;base64,${Buffer.from(text(name)).toString("base64")}`] as const);
  const examples = files.filter((name) => name.endsWith(".html")).map((name) => [name.replace(".html", ""), pictures.reduce((html, [token, url]) => html.replaceAll(token, url), text(name))] as const);
  return new Map(examples);
}

/** As the console's page frames it. */
export function exampleDocument(example: string, theme: "light" | "dark" = "light"): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Example</title><style>:root { color-scheme: only ${theme}; }</style>${crowdScripts(example)}</head><body>${example}</body></html>`;
}
