// Some of the browser tests, in one process and one browser: node shard.js 0/4.
//
// The files are dealt out by how long they take, so that the shards take about
// the same; a file that is not named here counts as a short one.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { shareBrowser } from "../browser/harness.js";

const COSTS: Readonly<Record<string, number>> = {
  accessibility: 30,
  "bounding-box": 14,
  "conformance-tools": 14,
  elements: 12,
  "entity-annotation": 13,
  keypoint: 10,
  line: 10,
  polygon: 16,
  polyline: 10,
  portal: 14,
  segmentation: 25,
};

function deal(names: readonly string[], shards: number): string[][] {
  const cost = (name: string): number => COSTS[name.replace(".test.js", "")] ?? 5;
  const dealt = Array.from({ length: shards }, () => ({ names: [] as string[], cost: 0 }));
  for (const name of [...names].sort((a, b) => cost(b) - cost(a) || a.localeCompare(b))) {
    const least = dealt.reduce((best, shard) => (shard.cost < best.cost ? shard : best));
    least.names.push(name);
    least.cost += cost(name);
  }
  return dealt.map((shard) => shard.names);
}

const [index = 0, shards = 1] = (process.argv[2] ?? "0/1").split("/").map(Number);
const folder = join(import.meta.dirname, "..", "browser");
const mine = deal(readdirSync(folder).filter((name) => name.endsWith(".test.js")), shards)[index];
if (!mine) throw new Error(`there is no shard ${index} of ${shards}`);
after(shareBrowser());
for (const name of mine) await import(join(folder, name));
