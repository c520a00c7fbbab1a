import { isRecord } from "../kit/record.js";
import type { Answer } from "./api.js";

export interface FrameHooks {
  onReady(): void;
  onChange(answer: Answer): void;
  onSubmit(answer: Answer): void;
  onScriptError(message: string): void;
  onMediaError(url: string): void;
}

/**
 * The page's side of the conversation with one task frame. The frame's origin is
 * opaque: what proves that a message is the frame's is the window it came from,
 * and after the handshake the port that only the two hold.
 */
export class FrameHost {
  private port: MessagePort | null = null;
  private document = "";
  /** The document that still speaks is on its way out. */
  private loading = false;
  private readonly abort = new AbortController();
  private readonly theme = matchMedia("(prefers-color-scheme: dark)");

  constructor(
    readonly iframe: HTMLIFrameElement,
    /** The answer to begin with; kept up to date, so that a reloaded frame gets what was last known. */
    private draft: Answer | null,
    private readonly hooks: FrameHooks,
  ) {
    const { signal } = this.abort;
    addEventListener("message", (event: MessageEvent<unknown>) => this.onWindowMessage(event), { signal });
    this.theme.addEventListener("change", () => this.sendTheme(), { signal });
  }

  submitted(): void {
    this.port?.postMessage({ type: "submitted" });
  }

  rejected(message: string): void {
    this.port?.postMessage({ type: "rejected", message });
  }

  requestSubmit(): void {
    this.port?.postMessage({ type: "request-submit" });
  }

  /** Loads the frame's document, or loads it anew; it then begins with what was last known of the answer. */
  load(path: string): void {
    this.loading = true;
    this.iframe.src = path;
  }

  dispose(): void {
    this.abort.abort();
    this.port?.close();
    this.iframe.remove();
  }

  private onWindowMessage(event: MessageEvent<unknown>): void {
    if (event.source !== this.iframe.contentWindow || !isRecord(event.data) || event.data.type !== "fiducial:ready") return;
    const id = typeof event.data.id === "string" ? event.data.id : "";
    if (this.port && id === this.document) return;
    this.document = id;
    this.loading = false;
    this.port?.close();
    const channel = new MessageChannel();
    this.port = channel.port1;
    this.port.onmessage = (message: MessageEvent<unknown>) => this.onPortMessage(message.data);
    this.iframe.contentWindow?.postMessage({ type: "fiducial:init", draft: this.draft }, "*", [channel.port2]);
    this.sendTheme();
    this.hooks.onReady();
  }

  private onPortMessage(data: unknown): void {
    if (!isRecord(data)) return;
    switch (data.type) {
      case "change":
        if (!isRecord(data.answer)) return;
        this.draft = data.answer;
        this.hooks.onChange(data.answer);
        break;
      case "submit":
        if (!isRecord(data.answer)) return;
        this.draft = data.answer;
        this.hooks.onSubmit(data.answer);
        break;
      case "error":
        this.hooks.onScriptError(String(data.message).slice(0, 300));
        break;
      case "media-error":
        if (!this.loading) this.hooks.onMediaError(String(data.url).slice(0, 2000));
        break;
    }
  }

  private sendTheme(): void {
    this.port?.postMessage({ type: "theme", value: this.theme.matches ? "dark" : "light" });
  }
}
