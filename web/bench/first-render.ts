// From the arrival of a template's HTML to the task on the screen, in headless
// Chromium: the first paint with content, all elements ready, the picture shown.
// First with nothing in the browser's cache, then with the scripts in it, as for
// every task but a worker's first.
//
//   npm run bench:render

import { readFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { Site, WEB, frameDocument, openBrowser } from "../test/browser/harness.js";
import type { Opened } from "../test/browser/harness.js";
import { png } from "../test/browser/pictures.js";
import { TEMPLATES } from "../test/browser/templates.js";

const ROUNDS = Number(process.env.ROUNDS ?? 15);
/** A task should be on the screen so soon after its HTML. */
const GOAL_MS = 300;
const KINDS = ["classifier", "image-classifier", "bounding-box", "semantic-segmentation", "entity-annotation", "form"];

interface Times {
  readonly paint: number;
  readonly ready: number;
  readonly picture: number | null;
  /** On the clock until all of it is there, with whatever else the machine does. */
  readonly whole: number;
  /** What the page's main thread worked for all of it, which other load on the machine adds little to. */
  readonly work: number;
}

// Runs before the template: notes when the elements say that they are ready, and when a tool has its picture.
const PROBE = `<script>
  const times = (window.times = {});
  document.addEventListener("all-crowd-elements-ready", () => {
    times.ready = performance.now();
    const tool = [...document.querySelectorAll("*")].find((e) => e.state === "loading" || e.state === "ready");
    const look = () => (tool?.state === "loading" ? requestAnimationFrame(look) : (times.picture = tool ? performance.now() : null));
    look();
  });
</script>`;

async function measure(site: Site, browser: Opened, kind: string): Promise<Times> {
  const page = await browser.context.newPage();
  const devtools = await browser.context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.goto(`${site.origin}/${kind}`);
  await page.waitForFunction("window.times.picture !== undefined && performance.getEntriesByName('first-contentful-paint').length > 0");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const times = (await page.evaluate(`(() => {
    const { responseEnd } = performance.getEntriesByType("navigation")[0];
    const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
    return { paint: paint - responseEnd, ready: times.ready - responseEnd, picture: times.picture === null ? null : times.picture - responseEnd, whole: Math.max(paint, times.ready, times.picture ?? 0) - responseEnd };
  })()`)) as Omit<Times, "work">;
  await page.close();
  return { ...times, work: (metrics.find((m) => m.name === "TaskDuration")?.value ?? NaN) * 1000 };
}

const at = (list: readonly number[], q: number): string => {
  const sorted = [...list].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN).toFixed(0).padStart(4);
};

function line(name: string, all: readonly Times[]): string {
  const column = (what: string, list: readonly number[]): string => (list.length === 0 ? "" : `   ${what} p50 ${at(list, 0.5)} p95 ${at(list, 0.95)}`);
  const pictures = all.flatMap((t) => (t.picture === null ? [] : [t.picture]));
  return `${name.padEnd(34)}${column("painted", all.map((t) => t.paint))}${column("ready", all.map((t) => t.ready))}${column("picture", pictures)}${column("on the clock", all.map((t) => t.whole))}${column("main thread", all.map((t) => t.work))} ms`;
}

async function main(): Promise<void> {
  const site = await Site.start();
  const photo = png(800, 533);
  site.handlers.set("/photo.jpg", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(photo));
  for (const name of ["crowd-html-elements.js", "crowd-segmentation.js"]) {
    const script = await readFile(join(WEB, "dist", name));
    site.handlers.set(`/assets/${name}`, (_q, response) => void response.writeHead(200, { "Content-Type": "text/javascript", "Cache-Control": "public, max-age=31536000, immutable" }).end(script));
  }
  for (const kind of KINDS) site.pages.set(`/${kind}`, frameDocument(TEMPLATES[kind] ?? "", PROBE));
  let slowest = 0;
  for (const kind of KINDS) {
    const cold: Times[] = [];
    for (let i = 0; i < Math.ceil(ROUNDS / 3); i++) {
      const browser = await openBrowser();
      cold.push(await measure(site, browser, kind));
      await browser.close();
    }
    console.log(line(`${kind}, first task`, cold));
    const browser = await openBrowser();
    for (let i = 0; i < 3; i++) await measure(site, browser, kind);
    const warm: Times[] = [];
    for (let i = 0; i < ROUNDS; i++) warm.push(await measure(site, browser, kind));
    await browser.close();
    console.log(line(`${kind}, later tasks`, warm));
    slowest = Math.max(slowest, Number(at(warm.map((t) => t.whole), 0.5)));
  }
  console.log(`the slowest kind is there ${slowest} ms after its HTML, half of the time: ${slowest <= GOAL_MS ? "within" : "over"} ${GOAL_MS} ms, at a load of ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors`);
  await site.stop();
}

void main();
