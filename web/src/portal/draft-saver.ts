import { RequestError } from "./api.js";
import type { Answer } from "./api.js";

export type SaveState = "clean" | "saving" | "saved" | "offline" | "failed";

export interface SaverHooks {
  save(answer: Answer, parting: boolean): Promise<void>;
  onState(state: SaveState): void;
  /** A refusal that trying again does not mend. */
  onRefused(error: RequestError): void;
}

/** Saves follow each other at least so far apart. */
const PACE_MS = 400;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/**
 * Keeps the server's draft up with the worker. One save is under way at a time,
 * so drafts never overtake each other; what changed meanwhile is saved next. A
 * save that failed in passing is tried again, later and later, until it works.
 */
export class DraftSaver {
  private pending: Answer | null = null;
  private under: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry = FIRST_RETRY_MS;
  private lastSave = -Infinity;
  private stopped = false;

  constructor(
    private readonly hooks: SaverHooks,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get dirty(): boolean {
    return this.pending !== null || this.under !== null;
  }

  change(answer: Answer): void {
    if (this.stopped) return;
    this.pending = answer;
    this.hooks.onState("saving");
    this.schedule(Math.max(0, this.lastSave + PACE_MS - this.now()));
  }

  /** Saves what is pending without waiting; settles when the server has it or has refused it. */
  async flush(parting = false): Promise<void> {
    clearTimeout(this.timer);
    if (parting) {
      if (this.pending && !this.stopped) await this.hooks.save(this.pending, true).catch(() => undefined);
      return;
    }
    await this.under;
    if (this.pending) await this.run();
  }

  /** No more saves: the assignment has ended. Settles when none is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pending = null;
    clearTimeout(this.timer);
    await this.under;
  }

  /** The network may be back. */
  hurry(): void {
    if (this.pending && !this.under) this.schedule(0);
  }

  private schedule(wait: number): void {
    if (this.under || this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), wait);
  }

  private run(): Promise<void> {
    this.under ??= this.saveOnce().finally(() => {
      this.under = null;
      if (this.pending) this.schedule(this.retry > FIRST_RETRY_MS ? this.retry : PACE_MS);
    });
    return this.under;
  }

  private async saveOnce(): Promise<void> {
    const answer = this.pending;
    if (!answer || this.stopped) return;
    this.pending = null;
    this.lastSave = this.now();
    try {
      await this.hooks.save(answer, false);
      this.retry = FIRST_RETRY_MS;
      if (!this.stopped) this.hooks.onState(this.pending ? "saving" : "saved");
    } catch (error) {
      this.failed(answer, error);
    }
  }

  private failed(answer: Answer, error: unknown): void {
    if (this.stopped) return;
    if (error instanceof RequestError && !error.passing) {
      this.hooks.onState("failed");
      this.hooks.onRefused(error);
      return;
    }
    // Something newer may have come while this one failed.
    this.pending ??= answer;
    this.retry = Math.min(this.retry * 2, LAST_RETRY_MS);
    this.hooks.onState("offline");
  }
}
