import { isRecord } from "../kit/record.js";
import { RequestError } from "./api.js";
import type { TaskApi } from "./api.js";

/** How long the media endpoint may take to say where the browser is. */
const PATIENCE_MS = 5000;

/** Asks the media endpoint where this browser comes from: its statement, "" when it refuses, null when it cannot be reached. */
export type Asker = (url: string) => Promise<string | null>;

/**
 * Settles with the portal where the worker is, before a task is shown and when its
 * media do not open any more. The media endpoint is asked first, by way of the
 * page: the browser may reach it from another address than the portal.
 */
export class Placement {
  constructor(
    private readonly api: Pick<TaskApi, "probe" | "place">,
    private readonly ask: Asker,
  ) {}

  /** With the probe that came with the task, else with a new one. */
  async settle(assignment: string, probe?: string): Promise<void> {
    const url = probe ?? (await this.api.probe(assignment));
    if (url === "") return; // nothing depends on it
    const statement = await this.ask(url);
    // A page that was left open is older than its probe's life: once more, with a new one.
    const old = probe !== undefined;
    if (statement === "" && old) return await this.settle(assignment);
    try {
      await this.api.place(assignment, statement ?? "");
    } catch (error) {
      if (!old || !(error instanceof RequestError) || error.code !== "StaleStatement") throw error;
      await this.settle(assignment);
    }
  }
}

/** A hidden frame in the sandbox of the task's frame, made when it is first needed; what proves a message is its window. */
export function frameAsker(patience = PATIENCE_MS): Asker {
  const waiting = new Map<number, (statement: string | null) => void>();
  let last = 0;
  let frame: Promise<Window> | null = null;
  return async (url) => {
    const id = ++last;
    const said = new Promise<string | null>((resolve) => {
      waiting.set(id, resolve);
      setTimeout(() => resolve(null), patience);
    });
    frame ??= openFrame((answer, statement) => waiting.get(answer)?.(statement));
    void frame.then((window) => window.postMessage({ type: "fiducial:probe", id, url }, "*"));
    return await said.finally(() => waiting.delete(id));
  };
}

function openFrame(onSaid: (id: number, statement: string | null) => void): Promise<Window> {
  const iframe = document.createElement("iframe");
  iframe.setAttribute("sandbox", "allow-scripts allow-forms");
  iframe.hidden = true;
  iframe.title = "Origin";
  iframe.src = "/probe";
  return new Promise((resolve) => {
    addEventListener("message", (event: MessageEvent<unknown>) => {
      const { contentWindow } = iframe;
      if (!contentWindow || event.source !== contentWindow || !isRecord(event.data)) return;
      const { type, id, statement } = event.data;
      if (type === "fiducial:probe-ready") resolve(contentWindow);
      if (type === "fiducial:probed" && typeof id === "number") onSaid(id, typeof statement === "string" ? statement : null);
    });
    document.body.append(iframe);
  });
}
