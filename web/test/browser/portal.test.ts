import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { Site, WEB, frameDocument, openBrowser } from "./harness.js";
import type { Handler, Opened } from "./harness.js";

const FRAME = frameDocument(`<crowd-form><crowd-input name="word" label="Word"></crowd-input></crowd-form>`);
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src 'self' data:; base-uri 'none'";

describe("the task page", () => {
  let site: Site;
  let browser: Opened;
  let page: Page;
  let html: string;
  const posts: { path: string; body: any; token: string | undefined }[] = [];

  const json = (status: number, body: unknown): Handler => (request, response, text) => {
    posts.push({ path: request.url ?? "", body: JSON.parse(text), token: request.headers["x-csrf-token"] as string | undefined });
    if (status === 204) response.writeHead(204).end();
    else response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
  const next = (assignment: string, draft: unknown = null) => ({
    next: { assignment, title: `Task ${assignment}`, description: "More of it.", expiresAt: "2099-01-01T00:00:00Z", frame: `/tasks/${assignment}/frame`, draft },
    jobDone: false,
  });

  before(async () => {
    site = await Site.start();
    browser = await openBrowser();
    html = await readFile(join(WEB, "test", "pages", "task.html"), "utf8");
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });
  beforeEach(async () => {
    posts.length = 0;
    site.requests.length = 0;
    site.handlers.clear();
    serve("/tasks/a1", html);
    for (const id of ["a1", "a2"]) site.pages.set(`/tasks/${id}/frame`, FRAME);
    site.handlers.set("POST /tasks/a1/draft", json(204, null));
    site.handlers.set("POST /tasks/a2/draft", json(204, null));
    page = await browser.context.newPage();
    page.on("console", (message) => message.type() === "error" && /Content Security Policy/.test(message.text()) && assert.fail(message.text()));
  });
  afterEach(() => page.close());

  function serve(path: string, text: string): void {
    site.handlers.set(path, (_request, response) => void response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": CSP }).end(text));
  }
  const frame = () => page.frameLocator("#stage iframe:not(.coming)");
  const word = () => frame().getByLabel("Word");
  const posted = (path: string) => posts.filter((post) => post.path === path);

  async function open(): Promise<void> {
    await page.goto(`${site.origin}/tasks/a1`);
    await word().waitFor();
  }

  test("an edit is saved within a second, with the token", async () => {
    // A clock that is stopped is so for the whole profile.
    const own = await openBrowser();
    await page.close();
    page = await own.context.newPage();
    await page.clock.install();
    await open();
    await page.clock.pauseAt(Date.now() + 60_000);
    await word().fill("blue");
    // A second of the page's own clock; between its ticks messages and requests take the time that they take.
    for (let ms = 0; ms < 1000; ms += 50) {
      await page.clock.runFor(50);
      await word().evaluate(
        () =>
          new Promise((resolve) => {
            addEventListener("message", resolve, { once: true });
            window.postMessage(null, "*");
          }),
      );
    }
    await page.locator('#save-state[data-state="saved"]').waitFor();
    assert.deepEqual(posted("/tasks/a1/draft").at(-1), { path: "/tasks/a1/draft", body: { answer: { word: "blue" } }, token: "sample" });
    assert.equal(await page.locator("#save-state").textContent(), "Saved");
    await own.close();
  });

  test("a draft comes back", async () => {
    serve("/tasks/a1", html.replace(">null<", '>{"word":"was here"}<'));
    await open();
    await page.waitForTimeout(300);
    assert.equal(await word().inputValue(), "was here");
    assert.deepEqual(posted("/tasks/a1/draft"), []);
  });

  test("offline is said, and mended by trying again", async () => {
    site.handlers.set("POST /tasks/a1/draft", (request) => void request.socket.destroy());
    await open();
    await word().fill("blue");
    await page.getByText("Offline, trying again").waitFor();
    site.handlers.set("POST /tasks/a1/draft", json(204, null));
    await page.locator('#save-state[data-state="saved"]').waitFor();
    assert.deepEqual(posted("/tasks/a1/draft").at(-1)?.body, { answer: { word: "blue" } });
  });

  test("submit, and the next task takes the place of the last without a reload", async () => {
    site.handlers.set("POST /tasks/a1/submit", json(200, next("a2", { word: "begun" })));
    site.handlers.set("POST /tasks/a2/submit", json(200, { next: null, jobDone: true }));
    await open();
    await page.evaluate("window.same = true");
    await word().fill("blue");
    await frame().getByRole("button", { name: "Submit" }).click();
    await page.getByRole("heading", { name: "Task a2" }).waitFor();
    await until(async () => (await page.locator("#stage iframe").count()) === 1);
    assert.deepEqual(posted("/tasks/a1/submit")[0]?.body, { answer: { word: "blue" } });
    assert.equal(await word().inputValue(), "begun");
    assert.equal(new URL(page.url()).pathname, "/tasks/a2");
    assert.equal(await page.title(), "Task a2 · Fiducial");
    assert.equal(await page.evaluate("window.same"), true);
    await word().fill("green");
    await page.locator('#save-state[data-state="saved"]').waitFor();
    assert.deepEqual(posted("/tasks/a2/draft").at(-1)?.body, { answer: { word: "green" } });
    await frame().getByRole("button", { name: "Submit" }).click();
    await page.getByRole("heading", { name: "This job is done" }).waitFor();
  });

  test("a refused answer leaves the worker where they were, and drafts go on", async () => {
    site.handlers.set("POST /tasks/a1/submit", json(422, { error: { code: "BadAnswer", message: "The word is not one." } }));
    await open();
    await word().fill("blue");
    await frame().getByRole("button", { name: "Submit" }).click();
    await page.locator("#notice").getByText("The word is not one.").waitFor();
    assert.equal(await frame().getByRole("button", { name: "Submit" }).isEnabled(), true);
    await word().fill("better");
    await until(() => posted("/tasks/a1/draft").at(-1)?.body.answer.word === "better");
  });

  test("release goes on at once when nothing was done; decline asks first", async () => {
    site.handlers.set("POST /tasks/a1/release", json(200, next("a2")));
    site.handlers.set("POST /tasks/a2/decline", json(200, { next: null, jobDone: false }));
    await open();
    await page.getByRole("button", { name: "Release" }).click();
    await page.getByRole("heading", { name: "Task a2" }).waitFor();
    await page.getByRole("button", { name: "Decline" }).click();
    await page.locator("dialog").getByRole("button", { name: "Decline" }).click();
    await page.getByRole("heading", { name: "No more tasks for you right now" }).waitFor();
  });

  test("stop saves what is pending and goes where the server says", async () => {
    serve("/", "<p>Your jobs</p>");
    site.handlers.set("POST /tasks/a1/stop", json(200, { redirect: "/" }));
    await open();
    await word().fill("blue");
    await page.waitForTimeout(300);
    await page.getByRole("button", { name: "Stop and resume later" }).click();
    await page.getByText("Your jobs").waitFor();
    assert.deepEqual(posted("/tasks/a1/draft").at(-1)?.body, { answer: { word: "blue" } });
  });

  test("the clock counts, and when it ends the next task is offered", async () => {
    serve("/tasks/a1", html.replace("2099-01-02T15:04:05Z", new Date(Date.now() + 3500).toISOString()));
    site.handlers.set("POST /jobs/birds/next", json(200, next("a2")));
    await open();
    assert.match((await page.locator("#timer").textContent()) ?? "", /^0:0[0-4]$/);
    await page.getByText("The time for this task is over").waitFor();
    await page.getByRole("button", { name: "Next task" }).click();
    await page.getByRole("heading", { name: "Task a2" }).waitFor();
  });

  test("a lease that the server says has ended is said so", async () => {
    site.handlers.set("POST /tasks/a1/draft", json(409, { error: { code: "LeaseExpired", message: "x" } }));
    await open();
    await word().fill("blue");
    await page.getByText("The time for this task is over").waitFor();
  });

  test("signed out: to the sign-in page", async () => {
    serve("/signin", "<p>Sign in here</p>");
    site.handlers.set("POST /tasks/a1/draft", json(401, { error: { code: "Unauthorized", message: "x" } }));
    await open();
    await word().fill("blue");
    await page.getByText("Sign in here").waitFor();
  });

  test("media that stop opening are asked for again by themselves once, then the worker is asked; the work is kept", async () => {
    site.handlers.set("POST /tasks/a1/probe", json(200, { probe: "" }));
    let loads = 0;
    const broken = FRAME.replace("<crowd-form>", '<crowd-form><img src="/gone.jpg">');
    site.handlers.set("/tasks/a1/frame", (_request, response) => {
      loads++;
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(loads <= 2 ? broken : FRAME);
    });
    serve("/tasks/a1", html.replace(">null<", '>{"word":"blue"}<'));
    await open();
    const again = page.getByRole("button", { name: "Try again" });
    await page.locator("#notice").getByText("could not be opened from this address").waitFor();
    assert.deepEqual([loads, posted("/tasks/a1/probe").length], [2, 1]);
    assert.equal(await word().inputValue(), "blue");
    await again.click();
    await until(() => loads === 3);
    await until(async () => (await word().inputValue()) === "blue" && !(await again.isVisible()));
    assert.deepEqual(site.requests.filter((line) => line.includes("/place")), []);
  });

  test("a worker outside the networks is told, sees no frame, and can try again", async () => {
    serve("/tasks/a1", html.replace('data-frame=', 'data-probe="/said" data-frame='));
    site.pages.set("/probe", "<p>No script: the endpoint is not asked</p>");
    site.handlers.set("POST /tasks/a1/place", json(404, { error: { code: "AddressNotAdmitted", message: "You are connected from 192.0.2.7." } }));
    await page.goto(`${site.origin}/tasks/a1`);
    await page.locator("#notice").getByText("You are connected from 192.0.2.7.").waitFor();
    assert.equal(site.requests.filter((line) => line.endsWith("/frame")).length, 0);
    assert.deepEqual(posted("/tasks/a1/place")[0]?.body, { statement: "" });
    site.handlers.set("POST /tasks/a1/probe", json(200, { probe: "" }));
    await page.getByRole("button", { name: "Try again" }).click();
    await word().waitFor();
  });

  // Security: only the task's own frame may speak for it. A page that got hold of the window could otherwise hand in answers.
  test("messages of other windows are not heard", async () => {
    await open();
    await page.evaluate(`(() => { const f = document.createElement("iframe"); f.srcdoc = ""; document.body.append(f); const c = new MessageChannel(); window.got = 0;
      addEventListener("message", (e) => got++); dispatchEvent(new MessageEvent("message", { data: { type: "fiducial:ready", id: "x" }, source: f.contentWindow })); })()`);
    await word().fill("blue");
    await page.locator('#save-state[data-state="saved"]').waitFor();
    assert.deepEqual(posted("/tasks/a1/draft").at(-1)?.body, { answer: { word: "blue" } });
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it did not come to pass within five seconds");
}
