// The frame that asks the media endpoint where this browser comes from. It runs in
// the sandbox of a task's frame, so that what the browser keeps for the endpoint
// is kept where the task's media will be asked for.

import { isRecord } from "../kit/record.js";

interface Said {
  readonly statement: string;
  readonly again: boolean;
}

async function ask(url: string): Promise<Said | null> {
  const response = await fetch(url, { credentials: "include", cache: "no-store", referrerPolicy: "no-referrer" });
  const body: unknown = response.ok ? await response.json() : null;
  return isRecord(body) && typeof body.statement === "string" ? { statement: body.statement, again: body.again === true } : null;
}

/** The statement; "" when the endpoint refuses, null when it cannot be reached. */
async function probe(url: string): Promise<string | null> {
  try {
    const said = await ask(url);
    if (!said?.again) return said?.statement ?? "";
    // The browser was given a secret: now it shows whether it keeps it.
    return (await ask(url))?.statement ?? said.statement;
  } catch {
    return null;
  }
}

addEventListener("message", (event: MessageEvent<unknown>) => {
  if (event.source !== parent || !isRecord(event.data) || event.data.type !== "fiducial:probe") return;
  const { id, url } = event.data;
  if (typeof url === "string") void probe(url).then((statement) => parent.postMessage({ type: "fiducial:probed", id, statement }, "*"));
});
parent.postMessage({ type: "fiducial:probe-ready" }, "*");
