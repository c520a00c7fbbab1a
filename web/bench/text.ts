// A long document in crowd-entity-annotation: how soon it is shown, how it
// scrolls, and how long a label takes to show. In headless Chromium.
//
//   npm run bench:text

import { Bench, Site, openBrowser } from "../test/browser/harness.js";

const SIZE = Number(process.env.SIZE ?? 1_000_000);
const SPANS = Number(process.env.SPANS ?? 5000);
const PANE = `document.querySelector("crowd-entity-annotation").shadowRoot.querySelector("fiducial-annotated-text")`;

const PARAGRAPH = "Ada Lovelace met Charles Babbage in London 😀 and wrote to Mary Somerville of the engine, its wheels and cards. ".repeat(6) + "שלום עולם\n";

async function main(): Promise<void> {
  const site = await Site.start();
  const browser = await openBrowser({ width: 1440, height: 900 });
  const bench = await Bench.open(site, browser.context, `<crowd-entity-annotation name="a" labels="['person','place','date']"></crowd-entity-annotation>`);
  const text = PARAGRAPH.repeat(Math.ceil(SIZE / PARAGRAPH.length)).slice(0, SIZE);
  const gap = Math.floor(SIZE / SPANS);
  // Everything is timed in the page, from the call to the frame after the one that shows it.
  const times = (await bench.frame.evaluate(
    `(async ({ text, spans, gap }) => {
      const tool = document.querySelector("crowd-entity-annotation");
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const shown = async (run) => { const t = performance.now(); await run(); await tool.updateComplete; await ${PANE}.updateComplete; await frame(); await frame(); return performance.now() - t; };
      const result = { show: await shown(() => (tool.text = text)) };
      result.spans = await shown(() => (tool.value = { entities: Array.from({ length: spans }, (_, i) => ({ startOffset: i * gap, endOffset: i * gap + 12, label: "person" })) }));
      const pane = ${PANE};
      const scroller = pane.shadowRoot.querySelector(".text");
      const frames = [];
      let last = await frame();
      for (let i = 0; i < 150; i++) { scroller.scrollTop += i < 100 ? 120 : 40000; const t = await frame(); frames.push(t - last); last = t; }
      result.frames = frames;
      result.label = [];
      for (let i = 0; i < 10; i++) { const at = Math.floor(text.length / 2) + i * 300 + 40; result.label.push(await shown(() => { pane.setRange(at, at + 9); tool.use("place"); })); }
      result.caret = [];
      pane.setRange(text.length / 2, text.length / 2);
      for (let i = 0; i < 20; i++) { const t = performance.now(); pane.moveBy(false, "forward", "line"); result.caret.push(performance.now() - t); }
      return result;
    })(${JSON.stringify({ text, spans: SPANS, gap })})`,
  )) as { show: number; spans: number; frames: number[]; label: number[]; caret: number[] };
  const at = (list: number[], q: number): string => (list.sort((a, b) => a - b)[Math.floor(q * (list.length - 1))] ?? 0).toFixed(1);
  console.log(`${text.length} units, ${SPANS} spans`);
  console.log(`text shown ${times.show.toFixed(0)} ms, all spans shown ${times.spans.toFixed(0)} ms`);
  console.log(`scrolling: frame p50 ${at(times.frames, 0.5)} p95 ${at(times.frames, 0.95)} max ${at(times.frames, 1)} ms`);
  console.log(`a label, to the frame after: p50 ${at(times.label, 0.5)} max ${at(times.label, 1)} ms; a line down p50 ${at(times.caret, 0.5)} max ${at(times.caret, 1)} ms`);
  await browser.close();
  await site.stop();
}

void main();
