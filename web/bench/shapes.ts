// Frame times of the tools that draw shapes: 5,000 boxes, then 500 polygons of 40
// vertices, on a 24-megapixel picture, panned and zoomed by real pointer and
// wheel events in headless Chromium.
//
//   npm run bench
//   BOXES=2000 POLYGONS=0 RATIO=2 npm run bench
//
// Prints, per journey, the time between frames as the browser showed them, and
// the time that our own painting took of it.

import { readFileSync, readdirSync } from "node:fs";
import { Bench, Site, openBrowser } from "../test/browser/harness.js";
import type { Opened } from "../test/browser/harness.js";
import { png } from "../test/browser/pictures.js";

const WIDTH = 6000;
const HEIGHT = 4000;
const BOXES = Number(process.env.BOXES ?? 5000);
const POLYGONS = Number(process.env.POLYGONS ?? 500);
const VERTICES = 40;
const RATIO = Number(process.env.RATIO ?? 1);

const LABELS = ["Cat", "Dog", "Bird"];

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

function boxes(): unknown[] {
  const random = randomFrom(7);
  return Array.from({ length: BOXES }, () => {
    const width = Math.floor(30 + random() ** 3 * 500);
    const height = Math.floor(30 + random() ** 3 * 400);
    return { left: Math.floor(random() * (WIDTH - width)), top: Math.floor(random() * (HEIGHT - height)), width, height, label: LABELS[Math.floor(random() * 3)] };
  });
}

function polygons(): unknown[] {
  const random = randomFrom(11);
  return Array.from({ length: POLYGONS }, () => {
    const radius = 60 + random() ** 2 * 350;
    const [x, y] = [radius + random() * (WIDTH - 2 * radius), radius + random() * (HEIGHT - 2 * radius)];
    const vertices = Array.from({ length: VERTICES }, (_, i) => {
      const [angle, far] = [(i / VERTICES) * 2 * Math.PI, radius * (0.7 + 0.3 * random())];
      return { x: Math.round(x + far * Math.cos(angle)), y: Math.round(y + far * Math.sin(angle)) };
    });
    return { label: LABELS[Math.floor(random() * 3)], vertices };
  });
}

// Runs in the frame: notes when frames come, and how long our painting takes.
const PROBE = `(() => {
  const tool = document.querySelector("#tool");
  const stage = tool.stage;
  const probe = (window.probe = { frames: [], paints: [] });
  const paint = stage.paint;
  stage.paint = function (time) { const t = performance.now(); paint.call(stage, time); probe.paints.push(performance.now() - t); };
  let last = 0;
  const tick = (t) => { if (last) probe.frames.push(t - last); last = t; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
})()`;

/** Processor time, in ms, that the processes this one started have used, by kind of process. */
function processorTime(): Map<string, number> {
  const times = new Map<string, number>();
  const ours = new Set([String(process.pid)]);
  const rows = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return [{ pid, parent: fields[1] ?? "", command, ms: (Number(fields[11]) + Number(fields[12])) * 10 }];
    } catch {
      return [];
    }
  });
  for (let found = true; found; ) {
    found = false;
    for (const row of rows) if (!ours.has(row.pid) && ours.has(row.parent)) found = Boolean(ours.add(row.pid));
  }
  for (const row of rows) {
    if (!ours.has(row.pid) || row.pid === String(process.pid)) continue;
    const kind = /--type=([a-z-]+)/.exec(row.command)?.[1] ?? "browser";
    times.set(kind, (times.get(kind) ?? 0) + row.ms);
  }
  return times;
}

interface Times {
  readonly frames: number[];
  readonly paints: number[];
}

function summary(name: string, times: Times): string {
  const of = (list: number[], q: number): string => (list.length === 0 ? "–" : (list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0).toFixed(1));
  const { frames, paints } = times;
  const seconds = frames.reduce((a, b) => a + b, 0) / 1000;
  return `${name.padEnd(34)} ${(frames.length / seconds).toFixed(1).padStart(5)} frames/s   frame p50 ${of(frames, 0.5)} p95 ${of(frames, 0.95)} p99 ${of(frames, 0.99)} ms   own painting p50 ${of(paints, 0.5)} p95 ${of(paints, 0.95)} ms`;
}

async function main(): Promise<void> {
  const site = await Site.start();
  const browser = await openBrowser({ width: 1440, height: 900, ratio: RATIO });
  const picture = png(WIDTH, HEIGHT);
  site.handlers.set("/picture.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  if (BOXES > 0) await measure(site, browser, "bounding-box", boxes(), `${BOXES} boxes`);
  if (POLYGONS > 0) await measure(site, browser, "polygon", polygons(), `${POLYGONS} polygons of ${VERTICES} vertices`);
  await browser.close();
  await site.stop();
}

async function measure(site: Site, browser: Opened, element: string, shapes: unknown[], what: string): Promise<void> {
  const initial = JSON.stringify(shapes).replaceAll('"', "&quot;");
  const bench = await Bench.open(site, browser.context, `<crowd-form><crowd-${element} id="tool" name="a" src="/picture.png" labels="['Cat','Dog','Bird']" initial-value="${initial}"></crowd-${element}></crowd-form>`);
  const started = Date.now();
  await bench.frame.waitForFunction(`document.querySelector("#tool").state === "ready"`, undefined, { timeout: 120_000 });
  console.log(`\n${what}, ${WIDTH} × ${HEIGHT} pixels, ratio ${RATIO}; picture ready after ${Date.now() - started} ms`);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await bench.frame.evaluate(PROBE);
  if (process.env.EXPERIMENT) await bench.frame.evaluate(process.env.EXPERIMENT);
  const { mouse, keyboard } = bench.page;
  const box = (await bench.frame.evaluate(`(() => { const r = document.querySelector("#tool").stage.root.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`)) as [number, number];

  async function journey(name: string, run: () => Promise<void>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await bench.frame.evaluate(`probe.frames.length = probe.paints.length = 0`);
    const before = processorTime();
    await run();
    const after = processorTime();
    const used = (kind: string): number => (after.get(kind) ?? 0) - (before.get(kind) ?? 0);
    const frames = (await bench.frame.evaluate("probe.frames.length")) as number;
    console.log(summary(name, (await bench.frame.evaluate(`({ frames: [...probe.frames], paints: [...probe.paints] })`)) as Times) + `   processor per frame: page ${(used("renderer") / frames).toFixed(1)} ms, compositor ${(used("gpu-process") / frames).toFixed(1)} ms`);
  }
  async function pan(): Promise<void> {
    await mouse.move(...box);
    await mouse.down({ button: "middle" });
    const end = Date.now() + 3000;
    for (let i = 0; Date.now() < end; i++) {
      await mouse.move(box[0] + 250 * Math.sin(i / 20), box[1] + 180 * Math.cos(i / 23));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await mouse.up({ button: "middle" });
  }

  await journey("idle", () => new Promise((resolve) => setTimeout(resolve, 1500)));
  await journey("pan, whole picture, all shapes", pan);
  await journey("zoom in and out by wheel", async () => {
    await mouse.move(...box);
    const end = Date.now() + 4000;
    for (let i = 0; Date.now() < end; i++) {
      await mouse.wheel(0, Math.sin(i / 30) > 0 ? -40 : 40);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  });
  await keyboard.press("f");
  for (let i = 0; i < 6; i++) await mouse.wheel(0, -200);
  await journey("pan, zoomed in", pan);
  await keyboard.press("f");
  await journey("draw, all shapes in sight", async () => {
    await mouse.move(box[0] - 200, box[1] - 150);
    await mouse.down();
    const end = Date.now() + 2500;
    for (let i = 0; Date.now() < end; i++) {
      await mouse.move(box[0] + 200 * Math.sin(i / 20), box[1] + 150 * Math.cos(i / 20));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await mouse.up();
  });
  await journey("hover over shapes", async () => {
    const end = Date.now() + 2500;
    for (let i = 0; Date.now() < end; i++) {
      await mouse.move(box[0] + 300 * Math.sin(i / 40), box[1] + 200 * Math.cos(i / 31));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  });
  await bench.close();
}

void main();
