// How soon a brush stroke shows on a label map of 24 megapixels: real pointer
// events in headless Chromium, the time from an event to the next frame after
// the stroke was drawn.
//
//   npm run bench:segmentation

import { Bench, Site, openBrowser } from "../test/browser/harness.js";
import { png } from "../test/browser/pictures.js";

const [WIDTH, HEIGHT] = [6000, 4000];

// Runs in the frame: for each pointer event over the picture, when it was made,
// when our own work on it was done, and when the frame that shows it was begun
// and ended.
const PROBE = `(() => {
  const tool = document.querySelector("crowd-semantic-segmentation");
  const probe = (window.probe = { shown: [], paints: [], strokes: [] });
  const stage = tool.stage;
  const paint = stage.paint;
  let due = [];
  stage.paint = function () {
    const t = performance.now();
    paint.call(stage);
    probe.paints.push(performance.now() - t);
    const made = due;
    due = [];
    // A message posted from a frame arrives after the frame was drawn.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { for (const at of made) probe.shown.push(performance.now() - at); };
    channel.port2.postMessage(0);
  };
  let began = 0;
  stage.root.addEventListener("pointermove", (event) => { began = performance.now(); if (event.buttons === 1) due.push(event.timeStamp); }, { capture: true });
  addEventListener("pointermove", (event) => { if (event.buttons === 1) probe.strokes.push(performance.now() - began); });
})()`;

function summary(list: number[]): string {
  list.sort((a, b) => a - b);
  const of = (q: number): string => (list[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0).toFixed(1);
  return `p50 ${of(0.5)} p95 ${of(0.95)} max ${of(1)} ms of ${list.length}`;
}

async function main(): Promise<void> {
  const site = await Site.start();
  const browser = await openBrowser({ width: 1440, height: 900 });
  const picture = png(WIDTH, HEIGHT);
  site.handlers.set("/picture.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  const bench = await Bench.open(site, browser.context, `<crowd-form><crowd-semantic-segmentation name="a" src="/picture.png" labels="['Cat','Dog','Bird']"></crowd-semantic-segmentation></crowd-form>`);
  await bench.frame.waitForFunction(`document.querySelector("crowd-semantic-segmentation").state === "ready"`, undefined, { timeout: 120_000 });
  await bench.frame.evaluate(PROBE);
  const { mouse } = bench.page;
  const [x, y] = (await bench.frame.evaluate(`(() => { const r = document.querySelector("crowd-semantic-segmentation").stage.root.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`)) as [number, number];
  console.log(`${WIDTH} × ${HEIGHT} pixels`);
  for (const size of [20, 150, 1000]) {
    await bench.frame.evaluate(`document.querySelector("crowd-semantic-segmentation").setSize(${size}); for (const list of Object.values(probe)) list.length = 0;`);
    await mouse.move(x - 200, y);
    await mouse.down();
    for (let i = 0; i < 200; i++) {
      await mouse.move(x - 200 + 2 * i, y + 150 * Math.sin(i / 12));
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    await mouse.up();
    const { shown, paints, strokes } = (await bench.frame.evaluate("({ ...probe })")) as Record<"shown" | "paints" | "strokes", number[]>;
    console.log(`brush of ${String(size).padStart(4)} pixels: event to frame ${summary(shown)}; into the map ${summary(strokes)}; drawing ${summary(paints)}`);
  }
  const took = (await bench.frame.evaluate(`(() => { const tool = document.querySelector("crowd-semantic-segmentation"); const t = performance.now(); const text = tool.value.labeledImage.pngImageData; return [performance.now() - t, text.length]; })()`)) as [number, number];
  console.log(`the answer after these strokes: ${took[0].toFixed(0)} ms, ${took[1]} characters of Base64`);
  await browser.close();
  await site.stop();
}

void main();
