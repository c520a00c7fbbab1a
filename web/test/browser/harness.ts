// A browser, a loopback server for pages and pictures, and the small steps that
// the tests of all elements share.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Frame, Page } from "playwright-core";

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

// A frame in a sandbox would get a process of its own, which takes longer to start than most tests need in it. Which
// process it is makes no difference to a template; test/browser of the module has frames as browsers have them.
const SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-features=IsolateSandboxedIframes,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,MediaRouter,PaintHolding,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"];

function launch(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is not there: install Debian's chromium, or set CHROMIUM`);
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: SWITCHES });
}

let shared: Promise<Browser> | null = null;

/** From here on all that openBrowser opens is in one browser, until what is returned is called. */
export function shareBrowser(): () => Promise<void> {
  shared = launch();
  return async () => {
    const browser = await shared;
    shared = null;
    await browser?.close();
  };
}

export interface Opened {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** A profile of its own: nothing that was stored or opened elsewhere is in it. */
export async function openBrowser(options: { dark?: boolean; touch?: boolean; width?: number; height?: number; ratio?: number } = {}): Promise<Opened> {
  const browser = await (shared ?? launch());
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    deviceScaleFactor: options.ratio ?? 1,
    colorScheme: options.dark ? "dark" : "light",
    hasTouch: options.touch ?? false,
  });
  return { context, close: () => (shared ? context.close() : browser.close()) };
}

/** The scripts that a document with a template names, as the portal chooses them. */
export function crowdScripts(template: string): string {
  const segmentation = /crowd-(semantic|instance)-segmentation/.test(template) ? '<script src="/assets/crowd-segmentation.js"></script>' : "";
  return `<script src="/assets/crowd-html-elements.js"></script>${segmentation}`;
}

/** A template's frame document, as the portal serves it. */
export function frameDocument(template: string, head = ""): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Task</title>${head}${crowdScripts(template)}</head><body>${template}</body></html>`;
}

// Holds a template in a frame like the portal's, and keeps what it says.
const HOST = `<!doctype html><html><head><meta charset="utf-8"><style>body{margin:0}iframe{border:0;width:100vw;height:100vh;display:block}</style></head><body>
<script>
  function show(draft) {
    window.said = [];
    window.port = undefined;
    window.draft = draft;
    document.querySelector("iframe")?.remove();
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-forms");
    frame.src = "/frame";
    document.body.append(frame);
  }
  addEventListener("message", (event) => {
    if (event.source !== document.querySelector("iframe")?.contentWindow || event.data.type !== "fiducial:ready" || window.port || window.busy) return;
    const channel = new MessageChannel();
    const said = window.said;
    window.port = channel.port1;
    channel.port1.onmessage = (message) => said.push(message.data);
    event.source.postMessage({ type: "fiducial:init", draft: window.draft }, "*", [channel.port2]);
  });
</script></body></html>`;

export interface Said {
  readonly type: string;
  readonly answer?: any;
  readonly message?: string;
  readonly url?: string;
}

// The page of each context that templates are shown in, one after the other: a
// new page takes five times as long to open as a new frame in one.
const pages = new WeakMap<BrowserContext, Page>();

/** One template in its sandboxed frame, ready to be worked on. */
export class Bench {
  /** What scripts of the page or the template threw and did not catch. */
  readonly errors: string[] = [];
  private readonly onError = (error: Error): void => {
    console.error("page error:", error.message);
    this.errors.push(error.message);
  };

  private constructor(
    readonly site: Site,
    readonly page: Page,
  ) {
    page.on("pageerror", this.onError);
  }

  private template: Frame | null = null;

  static async open(site: Site, context: BrowserContext, template: string, options: { draft?: unknown; head?: string; busy?: boolean } = {}): Promise<Bench> {
    site.pages.set("/frame", frameDocument(template, options.head));
    site.pages.set("/host", HOST);
    const page = pages.get(context) ?? (await context.newPage());
    pages.set(context, page);
    const bench = new Bench(site, page);
    if (page.url() !== `${site.origin}/host`) await page.goto(`${site.origin}/host`);
    await page.mouse.move(0, 0);
    await page.evaluate(`window.busy = ${options.busy ?? false}; show(${JSON.stringify(options.draft ?? null)})`);
    if (options.busy) await page.frameLocator("iframe").locator("crowd-form").waitFor();
    else await page.waitForFunction("window.port !== undefined");
    bench.template = page.frames().find((f) => f.url().endsWith("/frame")) ?? null;
    await page.locator("iframe").focus();
    return bench;
  }

  get frame(): Frame {
    if (!this.template) throw new Error("the frame is not there");
    return this.template;
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

  /** The page around, opened as busy, hears the frame from now on. */
  async listen(): Promise<void> {
    await this.page.evaluate("window.busy = false");
    await this.page.waitForFunction("window.port !== undefined");
  }

  async post(message: unknown): Promise<void> {
    await this.page.evaluate(`window.port.postMessage(${JSON.stringify(message)})`);
  }

  /** Waits until an image tool has its picture. */
  async pictureReady(selector: string): Promise<void> {
    await this.frame.waitForFunction(`document.querySelector(${JSON.stringify(selector)}).state === "ready"`, undefined, { timeout: 8000 });
  }

  /** Takes the template off the page, with all that it held. */
  async close(): Promise<void> {
    this.page.off("pageerror", this.onError);
    if (!this.page.isClosed() && this.page.url().endsWith("/host")) await this.page.evaluate(`document.querySelector("iframe")?.remove()`);
  }
}
