import { isRecord } from "../../kit/record.js";
import type { Answer } from "./answer.pure.js";
import { collect, restore } from "./collect.js";
import { mediaReports } from "./media.js";

/** The form whose answer the frame speaks of: a crowd-form, or the whole body when there is none. */
export interface FrameForm {
  readonly root: ParentNode;
  /** Runs the whole way of a submission, as if the worker had pressed Submit. */
  requestSubmit(): void;
  /** The answer is on its way, or was refused with a reason. */
  setBusy(busy: boolean): void;
  showMessage(message: string): void;
  /** Nobody is there to take the answer. */
  preview(answer: Answer): void;
}

const HANDSHAKE_MS = 1000;
const CHANGE_MS = 250;
const ANNOUNCEMENTS = 60;

/**
 * The frame's side of the conversation with the portal page.
 *
 * The frame has an opaque origin, so it cannot name its partner by origin: it
 * announces itself to its parent and takes the first init message that comes
 * from that very window with a port. From then on only the port counts.
 */
export class FrameSession {
  private form: FrameForm | null = null;
  private port: MessagePort | null = null;
  private alone = false;
  /** The answer that nobody has to be told of; "" if it was worked on before we could look. */
  private untouched = "";
  private lastSent = "";
  private early = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly waiting: unknown[] = [];

  /** What happens before the handshake waits for it. */
  constructor() {
    mediaReports.listen((url) => this.send({ type: "media-error", url }));
    this.hearScriptErrors();
    this.hearChanges();
  }

  start(form: FrameForm): void {
    this.form = form;
    this.untouched = this.early ? "" : JSON.stringify(collect(form.root));
    this.lastSent = this.untouched;
    if (this.early) this.lookSoon();
    if (window.parent === window) {
      this.alone = true;
      return;
    }
    addEventListener("message", (event: MessageEvent<unknown>) => this.onWindowMessage(event));
    this.announce(newId(), 0);
    setTimeout(() => this.giveUp(), HANDSHAKE_MS);
  }

  /** Nobody answered. An answer that was handed in meanwhile is shown like those that come later. */
  private giveUp(): void {
    if (this.port) return;
    this.alone = true;
    const at = this.waiting.findLastIndex((message) => isRecord(message) && message.type === "submit");
    const [submitted] = at < 0 ? [] : this.waiting.splice(at, 1);
    if (!this.form || !isRecord(submitted)) return;
    this.form.setBusy(false);
    this.form.preview(submitted.answer as Answer);
  }

  /** The page around may begin to listen after us, so this is said again; the id tells it that it is the same document. */
  private announce(id: string, said: number): void {
    if (this.port || said > ANNOUNCEMENTS) return;
    window.parent.postMessage({ type: "fiducial:ready", id }, "*");
    setTimeout(() => this.announce(id, said + 1), said < 10 ? 100 : 1000);
  }

  submit(form: FrameForm, answer: Answer): void {
    this.form = form;
    if (this.alone) {
      form.preview(answer);
      return;
    }
    form.setBusy(true);
    this.lastSent = JSON.stringify(answer);
    this.forgetTimer();
    this.send({ type: "submit", answer });
  }

  private forgetTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private onWindowMessage(event: MessageEvent<unknown>): void {
    const port = event.ports[0];
    if (!this.form || this.port || event.source !== window.parent || !port || !isRecord(event.data) || event.data.type !== "fiducial:init") return;
    this.port = port;
    this.alone = false;
    const { draft } = event.data;
    const drafted = isRecord(draft);
    if (drafted) {
      restore(this.form.root, draft);
      this.lastSent = JSON.stringify(collect(this.form.root));
    }
    port.onmessage = (message: MessageEvent<unknown>) => this.onPortMessage(message.data);
    for (const message of this.waiting.splice(0)) {
      // A change from before the draft came would be saved in its place.
      if (!drafted || !isRecord(message) || message.type !== "change") port.postMessage(message);
    }
    if (!drafted) {
      // What was done since we gave up waiting was told to nobody.
      this.lastSent = this.untouched;
      this.look();
    }
    this.reportHeight();
  }

  private onPortMessage(data: unknown): void {
    if (!isRecord(data) || !this.form) return;
    switch (data.type) {
      case "request-submit":
        this.form.requestSubmit();
        break;
      case "rejected":
        this.form.setBusy(false);
        this.form.showMessage(typeof data.message === "string" ? data.message : "The answer was not taken.");
        break;
      case "submitted":
        this.form.showMessage("");
        break;
      case "theme":
        setTheme(data.value);
        break;
    }
  }

  private send(message: unknown): void {
    if (this.port) this.port.postMessage(message);
    else if (!this.alone) this.waiting.push(message);
  }

  /** Scripts may change a field without an event of its own, for example a hidden input on a click: so every sign of life leads to a look. */
  private hearChanges(): void {
    for (const type of ["input", "change", "click", "keyup", "pointerup"]) {
      document.addEventListener(type, () => this.lookSoon(), { capture: true, passive: true });
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) this.form?.requestSubmit();
    });
    addEventListener("pagehide", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
  }

  private lookSoon(): void {
    this.early ||= !this.form;
    this.timer ??= setTimeout(() => this.look(), CHANGE_MS);
  }

  private look(): void {
    this.forgetTimer();
    if (!this.form) return;
    const answer = collect(this.form.root);
    const text = JSON.stringify(answer);
    if (text === this.lastSent) return;
    this.lastSent = text;
    this.send({ type: "change", answer });
  }

  private hearScriptErrors(): void {
    addEventListener("error", (event) => {
      if (event instanceof ErrorEvent) this.send({ type: "error", message: event.message });
    });
    addEventListener("unhandledrejection", (event: PromiseRejectionEvent) => this.send({ type: "error", message: String(event.reason) }));
  }

  private reportHeight(): void {
    const report = (): void => this.send({ type: "height", px: document.documentElement.scrollHeight });
    new ResizeObserver(report).observe(document.documentElement);
  }
}

/** A template follows the worker's theme only when it says that it can: authors assume a white page. */
function setTheme(value: unknown): void {
  const able = document.querySelector('meta[name="color-scheme"]')?.getAttribute("content")?.includes("dark") ?? false;
  if (able && (value === "light" || value === "dark")) document.documentElement.dataset.crowdTheme = value;
}

/** randomUUID is only there in secure contexts, and an opaque frame over plain HTTP is none. */
function newId(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("-");
}
