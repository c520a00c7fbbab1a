import { isRecord } from "../kit/record.js";

export type Answer = Readonly<Record<string, unknown>>;

/** A task to work on, as the server names it. */
export interface NextTask {
  readonly assignment: string;
  readonly title: string;
  readonly description: string;
  readonly expiresAt: string;
  readonly frame: string;
  /** What to ask the media endpoint before the frame is shown; "" for nothing. */
  readonly probe: string;
  readonly draft: Answer | null;
}

/** What follows when an assignment has ended. */
export interface Outcome {
  readonly next: NextTask | null;
  readonly jobDone: boolean;
  /** A page of the portal to go to instead. */
  readonly redirect?: string;
}

/** A request that did not do what it should. */
export class RequestError extends Error {
  constructor(
    /** The HTTP status; 0 when the server was not reached. */
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** The worker is outside the workforce's networks: a VPN that is down comes back. */
  get elsewhere(): boolean {
    return this.code === "AddressNotAdmitted";
  }

  /** Worth trying again: the network, an overload, a restart. */
  get passing(): boolean {
    return this.elsewhere || this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get leaseEnded(): boolean {
    return this.status === 409 && this.code === "LeaseExpired";
  }
}

/** The portal's calls for a worker's tasks. */
export class TaskApi {
  /** The server's clock minus ours, in milliseconds, as the last answer told it. */
  skew = 0;

  constructor(
    private readonly csrf: string,
    private readonly send: typeof fetch = fetch.bind(globalThis),
  ) {}

  async saveDraft(assignment: string, answer: Answer, parting = false): Promise<void> {
    await this.post(`/tasks/${encodeURIComponent(assignment)}/draft`, { answer }, parting);
  }

  async submit(assignment: string, answer: Answer): Promise<Outcome> {
    return outcomeFrom(await this.post(`/tasks/${encodeURIComponent(assignment)}/submit`, { answer }));
  }

  async giveBack(assignment: string, how: "release" | "decline"): Promise<Outcome> {
    return outcomeFrom(await this.post(`/tasks/${encodeURIComponent(assignment)}/${how}`, {}));
  }

  async stop(assignment: string): Promise<string> {
    const body = await this.post(`/tasks/${encodeURIComponent(assignment)}/stop`, {});
    return isRecord(body) && typeof body.redirect === "string" ? localPath(body.redirect) : "/";
  }

  /** A new question for the media endpoint; "" when nothing depends on the answer. */
  async probe(assignment: string): Promise<string> {
    const body = await this.post(`/tasks/${encodeURIComponent(assignment)}/probe`, {});
    return isRecord(body) && typeof body.probe === "string" ? body.probe : "";
  }

  /** Settles where the worker is, by what the media endpoint said. */
  async place(assignment: string, statement: string): Promise<void> {
    await this.post(`/tasks/${encodeURIComponent(assignment)}/place`, { statement });
  }

  async next(job: string): Promise<Outcome> {
    return outcomeFrom(await this.post(`/jobs/${encodeURIComponent(job)}/next`, {}));
  }

  private async post(path: string, body: unknown, parting = false): Promise<unknown> {
    const text = JSON.stringify(body);
    let response: Response;
    try {
      response = await this.send(path, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": this.csrf },
        body: text,
        // A browser lets go of a page sooner than of such a request, but only of small ones.
        keepalive: parting && text.length < 60_000,
      });
    } catch {
      throw new RequestError(0, "Offline", "The server cannot be reached.");
    }
    this.noteClock(response.headers.get("Date"));
    if (response.status === 204) return null;
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorFrom(response.status, answer);
    return answer;
  }

  private noteClock(date: string | null): void {
    const theirs = date === null ? NaN : Date.parse(date);
    // The header counts whole seconds: nearer than one is as good as equal.
    if (Number.isFinite(theirs)) this.skew = Math.abs(theirs - Date.now()) < 1500 ? 0 : theirs - Date.now();
  }
}

function errorFrom(status: number, body: unknown): RequestError {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  const code = typeof error.code === "string" ? error.code : "Unknown";
  const message = typeof error.message === "string" ? error.message : `The server answered with status ${status}.`;
  return new RequestError(status, code, message);
}

function outcomeFrom(body: unknown): Outcome {
  if (!isRecord(body)) return { next: null, jobDone: false };
  const outcome = { next: taskFrom(body.next), jobDone: body.jobDone === true };
  return typeof body.redirect === "string" ? { ...outcome, redirect: localPath(body.redirect) } : outcome;
}

function taskFrom(value: unknown): NextTask | null {
  if (!isRecord(value) || typeof value.assignment !== "string") return null;
  const text = (name: string): string => (typeof value[name] === "string" ? value[name] : "");
  return {
    assignment: value.assignment,
    title: text("title"),
    description: text("description"),
    expiresAt: text("expiresAt"),
    frame: localPath(text("frame") || `/tasks/${encodeURIComponent(value.assignment)}/frame`),
    probe: text("probe"),
    draft: isRecord(value.draft) ? value.draft : null,
  };
}

/** Only a path of this very site: never where a mistake elsewhere would send the worker. */
function localPath(path: string): string {
  return /^\/(?![/\\])/.test(path) ? path : "/";
}
