// Everything that checks this folder, as many jobs at once as there are
// processors: npm test. What passes says one line, what fails all it said.

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { WEB } from "../browser/harness.js";

interface Job {
  readonly name: string;
  readonly command: readonly string[];
}

const SHARDS = 4;
const SHARD = join(import.meta.dirname, "shard.js");

// The longest first, and the short ones into the gaps at the end.
const JOBS: readonly Job[] = [
  ...Array.from({ length: SHARDS }, (_, i) => ({ name: `browser tests ${i + 1}/${SHARDS}`, command: ["node", SHARD, `${i}/${SHARDS}`] })),
  { name: "lint", command: ["npx", "--no-install", "eslint", "."] },
  { name: "unit tests", command: ["node", "--test", join(import.meta.dirname, "..", "unit")] },
  { name: "dist", command: ["npm", "run", "--silent", "check:dist"] },
];

async function run(job: Job): Promise<boolean> {
  const started = Date.now();
  const [program = "", ...args] = job.command;
  const said: Buffer[] = [];
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(program, args, { cwd: WEB, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
    child.on("error", (error) => said.push(Buffer.from(String(error))));
    child.on("close", resolve);
  });
  const text = Buffer.concat(said).toString();
  const passed = code === 0;
  const counted = /^# pass (\d+)$/m.exec(text)?.[1];
  console.log(`${passed ? "ok    " : "FAILED"} ${job.name}${counted ? `, ${counted} passed` : ""} (${((Date.now() - started) / 1000).toFixed(0)} s)`);
  if (!passed) console.log(text);
  return passed;
}

async function main(): Promise<void> {
  const waiting = [...JOBS];
  const results: boolean[] = [];
  const lane = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) results.push(await run(job));
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, lane));
  process.exitCode = results.every(Boolean) ? 0 : 1;
}

void main();
