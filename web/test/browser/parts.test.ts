// The elements that paint segments are in the bundle's second part, which pages without them do not load.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png } from "./pictures.js";

const ELEMENT = `<crowd-semantic-segmentation id="tool" name="annotatedResult" src="/scene.png" header="Please label" labels="['Cat', 'Dog']"></crowd-semantic-segmentation>`;

describe("the second part", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser();
    const picture = png(100, 80);
    site.handlers.set("/scene.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });
  afterEach(() => bench.close());

  test("an element that a script makes up comes all the same, and is waited for", async () => {
    site.requests.length = 0;
    bench = await Bench.open(site, browser.context, `<crowd-form></crowd-form><script>
      const tool = Object.assign(document.createElement("crowd-semantic-" + "segmentation"), { id: "tool" });
      for (const [name, value] of [["name", "annotatedResult"], ["src", "/scene.png"], ["labels", "['Cat']"], ["header", "Made"]]) tool.setAttribute(name, value);
      document.querySelector("crowd-form").append(tool);
      document.addEventListener("all-crowd-elements-ready", () => (window.there = customElements.get("crowd-semantic-" + "segmentation") !== undefined));
    </script>`);
    await bench.frame.waitForFunction("window.there !== undefined");
    assert.equal(await bench.frame.evaluate("window.there"), true);
    assert.deepEqual(await bench.frame.evaluate("tool.labels"), ["Cat"]);
    assert.equal(site.requests.filter((line) => line.endsWith("/crowd-segmentation.js")).length, 1);
  });

  test("the second part may come before the first, and twice", async () => {
    const part = '<script src="/assets/crowd-segmentation.js"></script>';
    bench = await Bench.open(site, browser.context, `<script src="/assets/crowd-html-elements.js"></script><crowd-form>${ELEMENT}</crowd-form>`, { head: part });
    await bench.frame.waitForFunction(`document.querySelector("#tool").state === "ready"`);
    assert.deepEqual(bench.errors, []);
  });

  test("a page without them does not load the second part", async () => {
    site.requests.length = 0;
    bench = await Bench.open(site, browser.context, `<crowd-form><crowd-input name="word"></crowd-input></crowd-form>`);
    await bench.frame.getByRole("button", { name: "Submit" }).waitFor();
    assert.deepEqual(site.requests.filter((line) => line.includes("crowd-segmentation")), []);
  });
});
