import { CUT_PARTS, cutOut } from "./cut-out.js";
import { FLOW_PARTS } from "./max-flow.js";
import { SLIC_PARTS, slic } from "./slic.js";
import type { Work } from "./slic.js";

const JOBS = { slic, cutOut } as const;

export type JobName = keyof typeof JOBS;
type Arguments<N extends JobName> = Parameters<(typeof JOBS)[N]>;
type Result<N extends JobName> = ReturnType<(typeof JOBS)[N]> extends Work<infer T> ? T : never;

/** So long, in ms, the page may stand still where there is no worker. */
const SLICE = 12;

/**
 * The script of the worker. A frame of opaque origin cannot name a script of its
 * own for a worker, so the worker is made from the text of the functions.
 */
export function workerText(): string {
  const parts = [...SLIC_PARTS, ...FLOW_PARTS, ...CUT_PARTS].map((part) => String(part));
  const jobs = Object.entries(JOBS).map(([name, job]) => `${name}:${job.name}`);
  return `${parts.join("\n")}
onmessage=(e)=>{const w={${jobs.join()}}[e.data.job](...e.data.args);let r;do r=w.next();while(!r.done);postMessage({result:r.value})}`;
}

/** Runs heavy work off the main thread, or, where no worker may start, in slices on it. One job at a time: a new one ends the last. */
export class Offload {
  private worker: Worker | null = null;
  private refused = false;
  private turn = 0;
  private end: (() => void) | null = null;

  /** The result, or null when another job came in between. */
  async run<N extends JobName>(job: N, ...args: Arguments<N>): Promise<Result<N> | null> {
    this.cancel();
    const turn = this.turn;
    const result = (await this.inWorker(job, args)) ?? (this.refused ? await this.inSlices(job, args, turn) : null);
    return turn === this.turn ? result : null;
  }

  /** Whether work goes on beside the page. */
  get beside(): boolean {
    return !this.refused;
  }

  cancel(): void {
    this.turn++;
    this.end?.();
  }

  private async inWorker<N extends JobName>(job: N, args: Arguments<N>): Promise<Result<N> | null> {
    if (this.refused) return null;
    try {
      return await new Promise<Result<N> | null>((resolve, reject) => {
        const worker = (this.worker ??= startWorker());
        // A worker cannot be told to stop in the middle; it is ended, and the next job starts another.
        this.end = () => {
          worker.terminate();
          this.worker = null;
          this.end = null;
          resolve(null);
        };
        worker.onmessage = (event: MessageEvent<{ result: Result<N> }>) => {
          this.end = null;
          resolve(event.data.result);
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage({ job, args });
      });
    } catch {
      this.refused = true;
      this.end = null;
      this.worker = null;
      return null;
    }
  }

  private async inSlices<N extends JobName>(job: N, args: Arguments<N>, turn: number): Promise<Result<N> | null> {
    const work = (JOBS[job] as (...args: unknown[]) => Work<Result<N>>)(...args);
    for (let until = performance.now() + SLICE; turn === this.turn; ) {
      const step = work.next();
      if (step.done) return step.value;
      if (performance.now() < until) continue;
      await new Promise((resolve) => setTimeout(resolve));
      until = performance.now() + SLICE;
    }
    return null;
  }
}

function startWorker(): Worker {
  const url = URL.createObjectURL(new Blob([workerText()], { type: "text/javascript" }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}
