// A browser, a loopback server for pages and pictures, and the small steps that
// the tests of all elements share.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { BrowserContext, Frame, Page } from "playwright-core";

export const WEB = join(import.meta.dirname, "..", "..", "..");

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void | Promise<void>;

/** Serves pages given as text, files of dist, and what a test adds. */
export class Site {
  readonly pages = new Map<string, string>();
  readonly handlers = new Map<string, Handler>();
  readonly requests: string[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    return site;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    let body = "";
    for await (const chunk of request) body += String(chunk);
    this.requests.push(`${request.method} ${path}`);
    const handler = this.handlers.get(`${request.method} ${path}`) ?? this.handlers.get(path);
    if (handler) {
      await handler(request, response, body);
      return;
    }
    const page = this.pages.get(path);
    if (page !== undefined) {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
      return;
    }
    if (path.startsWith("/assets/")) {
      const file = join(WEB, "dist", path.slice("/assets/".length));
      const type = path.endsWith(".css") ? "text/css" : "text/javascript";
      response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(await readFile(file));
      return;
    }
    response.writeHead(404).end();
  }
}

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export interface Opened {
  readonly context: BrowserContext;
  readonly profile: string;
  close(): Promise<void>;
}

export async function openBrowser(options: { dark?: boolean; touch?: boolean; width?: number; height?: number; ratio?: number } = {}): Promise<Opened> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is not there: install Debian's chromium, or set CHROMIUM`);
  const profile = await mkdtemp(join(tmpdir(), "fiducial-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    deviceScaleFactor: options.ratio ?? 1,
    colorScheme: options.dark ? "dark" : "light",
    hasTouch: options.touch ?? false,
  });
  return {
    context,
    profile,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** A template's frame document, as the portal serves it. */
export function frameDocument(template: string, head = ""): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Task</title>${head}<script src="/assets/crowd-html-elements.js"></script></head><body>${template}</body></html>`;
}

/** A page that holds the template in a frame like the portal's, and keeps what it says. */
export function hostDocument(framePath: string, draft: unknown = null): string {
  return `<!doctype html><html><head><meta charset="utf-8"><style>body{margin:0}iframe{border:0;width:100vw;height:100vh;display:block}</style></head><body>
<script>
  window.said = [];
  addEventListener("message", (event) => {
    if (event.source !== document.querySelector("iframe").contentWindow || event.data.type !== "fiducial:ready" || window.port) return;
    const channel = new MessageChannel();
    window.port = channel.port1;
    channel.port1.onmessage = (message) => window.said.push(message.data);
    event.source.postMessage({ type: "fiducial:init", draft: ${JSON.stringify(draft)} }, "*", [channel.port2]);
  });
</script>
<iframe sandbox="allow-scripts allow-forms" src="${framePath}"></iframe></body></html>`;
}

export interface Said {
  readonly type: string;
  readonly answer?: any;
  readonly message?: string;
  readonly url?: string;
}

/** One template in its sandboxed frame, ready to be worked on. */
export class Bench {
  private constructor(
    readonly site: Site,
    readonly page: Page,
    readonly frame: Frame,
  ) {}

  static async open(site: Site, context: BrowserContext, template: string, options: { draft?: unknown; head?: string } = {}): Promise<Bench> {
    site.pages.set("/frame", frameDocument(template, options.head));
    site.pages.set("/host", hostDocument("/frame", options.draft ?? null));
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error("page error:", error.message));
    await page.goto(`${site.origin}/host`);
    await page.waitForFunction("window.port !== undefined");
    const frame = page.frames().find((f) => f.url().endsWith("/frame"));
    if (!frame) throw new Error("the frame is not there");
    await page.locator("iframe").focus();
    return new Bench(site, page, frame);
  }

  async said(type: string): Promise<Said[]> {
    return ((await this.page.evaluate("window.said")) as Said[]).filter((message) => message.type === type);
  }

  /** Waits for the n-th message of a type. */
  async waitFor(type: string, n = 1): Promise<Said> {
    await this.page.waitForFunction(`window.said.filter((m) => m.type === ${JSON.stringify(type)}).length >= ${n}`, undefined, { timeout: 8000 });
    const message = (await this.said(type))[n - 1];
    if (!message) throw new Error(`no message ${type}`);
    return message;
  }

  /** Presses Submit and gives the answer that came out. */
  async submit(): Promise<any> {
    const before = (await this.said("submit")).length;
    await this.frame.getByRole("button", { name: "Submit" }).click();
    return (await this.waitFor("submit", before + 1)).answer;
  }

  async post(message: unknown): Promise<void> {
    await this.page.evaluate(`window.port.postMessage(${JSON.stringify(message)})`);
  }

  /** Waits until an image tool has its picture. */
  async pictureReady(selector: string): Promise<void> {
    await this.frame.waitForFunction(`document.querySelector(${JSON.stringify(selector)}).state === "ready"`, undefined, { timeout: 8000 });
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
