// axe-core over every element of the gallery, light and dark, and what it cannot see: focus, keys, zoom.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { exampleDocument, gallery } from "../gallery.js";
import { Site, WEB, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

// A row of the list of shapes is read as words of its own ("Cat, 182 by 144 pixels" for "Cat 182 × 144"); its button
// to delete is for the pointer, and hidden from others, who have the Delete key.
const SHAPES = /^(label-content-name-mismatch|nested-interactive): .* fiducial-shape-list #shape-/;
// A mark in a text shows its label's short name and is read with the full one.
const MARKS = /^label-content-name-mismatch: .* fiducial-annotated-text .pick/;

describe("accessibility", () => {
  let site: Site;
  let browser: Opened;
  let page: Page;
  let axe: string;

  before(async () => {
    axe = await readFile(join(WEB, "node_modules", "axe-core", "axe.min.js"), "utf8");
    site = await Site.start();
    browser = await openBrowser({ width: 1100, height: 800 });
    page = await browser.context.newPage();
    page.setDefaultTimeout(15_000);
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });

  async function show(example: string, theme: "light" | "dark" = "light"): Promise<void> {
    site.pages.set("/example", exampleDocument(`<script>document.addEventListener("all-crowd-elements-ready", () => (window.ready = true));</script>${example}`, theme));
    await page.goto(`${site.origin}/example`);
    await page.waitForFunction("window.ready === true");
  }

  async function violations(): Promise<string[]> {
    await page.evaluate(axe);
    const found: any = await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ["violations"] })`);
    return found.violations.flatMap((v: any) => v.nodes.map((n: any) => `${v.id}: ${n.target.flat().join(" ")}: ${n.failureSummary}`)).filter((found: string) => !SHAPES.test(found) && !MARKS.test(found));
  }

  test("every element that is defined has an example", async () => {
    site.pages.set("/names", `<script>window.names = []; const define = customElements.define; customElements.define = function (name, ...rest) { names.push(name); define.call(this, name, ...rest); };</script><script src="/assets/crowd-html-elements.js"></script><script src="/assets/crowd-segmentation.js"></script>`);
    await page.goto(`${site.origin}/names`);
    const names = (await page.evaluate("names.filter((name) => name.startsWith('crowd-'))")) as string[];
    const shown = [...gallery().values()].join("\n");
    assert.ok(names.length >= 25, `${names.length} elements are defined`);
    assert.deepEqual(names.filter((name) => !new RegExp(`<${name}[\\s>]`).test(shown)), []);
  });

  for (const [tag, example] of gallery()) {
    test(tag, async () => {
      for (const theme of ["light", "dark"] as const) {
        await show(example, theme);
        assert.deepEqual(await violations(), [], theme);
      }
    });
  }

  test("windows above the page: instructions, modal, shortcuts, a message at a field", async () => {
    const examples = gallery();
    await show(examples.get("crowd-modal") ?? "");
    await page.getByRole("button", { name: "See an example" }).click();
    assert.deepEqual(await violations(), []);
    await show(examples.get("crowd-classifier") ?? "", "dark");
    await page.getByRole("button", { name: "View full instructions" }).press("Enter");
    assert.deepEqual(await violations(), []);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("choose a category").waitFor();
    assert.deepEqual(await violations(), []);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor({ state: "hidden" });
    await show(examples.get("crowd-input") ?? "");
    await page.getByRole("button", { name: "Submit" }).press("Enter");
    await page.getByText("Capital letters and digits only.").waitFor();
    assert.deepEqual(await violations(), []);
  });

  test("by keyboard alone, with the focus in sight", async () => {
    await show(`<crowd-form><crowd-classifier name="mood" header="Mood?" categories="['Good', 'Bad']"></crowd-classifier></crowd-form>`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    const outline = await page.locator(".category:has(input:focus-visible)").evaluate((e) => getComputedStyle(e).outlineStyle);
    assert.equal(outline, "solid");
    await page.keyboard.press("Control+Enter");
    assert.deepEqual(JSON.parse((await page.locator("table code").textContent()) ?? ""), { mood: { label: "Bad" } });
  });

  test("at 200 % nothing has to be scrolled sideways", async () => {
    await page.setViewportSize({ width: 640, height: 400 });
    const wide: string[] = [];
    for (const [tag, example] of gallery()) {
      await show(example);
      const over = Number(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"));
      if (over > 1) wide.push(`${tag}: ${over} px`);
    }
    assert.deepEqual(wide, []);
  });
});
