// Walks what is documented of an element, entry by entry, on one page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator } from "playwright-core";
import { DOCUMENTED } from "./documented.js";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png } from "./pictures.js";

/** One page with the element in the ways that its checks need. */
export class Probe {
  constructor(readonly bench: Bench) {}

  $(selector: string): Locator {
    return this.bench.frame.locator(selector);
  }

  /** What an expression is in the template's own frame. */
  js<T = unknown>(expression: string): Promise<T> {
    return this.bench.frame.evaluate(expression);
  }

  /** The answer as the form would hand it in now, as text: the order counts. */
  async answer(): Promise<string> {
    return JSON.stringify(await this.js("document.querySelector('crowd-form').value"));
  }

  async expect(expression: string, want: unknown): Promise<void> {
    assert.deepEqual(await this.js(expression), want, expression);
  }

  /** How an element is drawn. */
  style(selector: string, property: string): Promise<string> {
    return this.$(selector).first().evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
  }

  /** The events of a kind that reach the document while something is done. */
  async events(type: string, act: () => Promise<void>): Promise<number> {
    await this.js(`void (window.heard = 0, window.hear = () => window.heard++, document.addEventListener(${JSON.stringify(type)}, window.hear))`);
    await act();
    return await this.js<number>(`(document.removeEventListener(${JSON.stringify(type)}, window.hear), window.heard)`);
  }

  async submits(): Promise<number> {
    return (await this.bench.said("submit")).length;
  }
}

export interface Walk {
  readonly template: string;
  readonly checks: Readonly<Record<string, (p: Probe) => Promise<void>>>;
}

/** One test for each entry; an entry without a check, or a check without an entry, fails. */
export function walk(title: string, elements: Readonly<Record<string, Walk>>): void {
  describe(title, () => {
    let site: Site;
    let browser: Opened;
    before(async () => {
      site = await Site.start();
      browser = await openBrowser();
      const picture = png(400, 300);
      site.handlers.set("/photo.jpg", (_request, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
    });
    after(async () => {
      await browser.close();
      await site.stop();
    });
    for (const [tag, { template, checks }] of Object.entries(elements)) {
      test(tag, async (t) => {
        assert.deepEqual(Object.keys(checks).sort(), [...(DOCUMENTED[tag] ?? [])].sort(), `the checks of ${tag} and its entries`);
        const bench = await Bench.open(site, browser.context, template);
        bench.page.setDefaultTimeout(10_000);
        for (const [entry, check] of Object.entries(checks)) await t.test(entry, () => check(new Probe(bench)));
        await bench.close();
      });
    }
  });
}
