import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Bench, Site, frameDocument, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png } from "./pictures.js";
import { TEMPLATES } from "./templates.js";

describe("crowd elements", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser();
    const picture = png(400, 300);
    site.handlers.set("/photo.jpg", (_request, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });
  afterEach(() => bench.close());

  async function open(template: string, draft: unknown = null): Promise<void> {
    bench = await Bench.open(site, browser.context, template, { draft });
  }
  const element = (selector: string) => bench.frame.locator(selector);

  test("crowd-classifier: a click, a digit, and nothing without a choice", async () => {
    await open(TEMPLATES.classifier ?? "");
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText("Please choose a category.").waitFor();
    assert.deepEqual(await bench.said("submit"), []);
    await bench.frame.getByText("Negative", { exact: true }).click();
    assert.deepEqual(await bench.submit(), { mood: { label: "Negative" } });
    await bench.post({ type: "rejected", message: "Not now." });
    await bench.frame.getByText("Not now.").waitFor();
    await element("h2").first().click();
    await bench.page.keyboard.press("1");
    assert.deepEqual(await bench.submit(), { mood: { label: "Positive" } });
  });

  test("crowd-classifier-multi-select: the exclusion lets go of the others", async () => {
    await open(TEMPLATES["classifier-multi-select"] ?? "");
    await bench.frame.getByText("Durability").click();
    await bench.frame.getByText("Comfort", { exact: true }).click();
    assert.deepEqual(await bench.submit(), { mood: { labels: ["Comfort", "Durability"] } });
    await bench.post({ type: "rejected", message: "" });
    await bench.frame.getByText("None of the above").click();
    assert.deepEqual(await bench.submit(), { mood: { labels: ["None of the above"] } });
  });

  test("crowd-image-classifier, with overlay and comment", async () => {
    await open(TEMPLATES["image-classifier-verify"] ?? "");
    await bench.pictureReady("crowd-image-classifier");
    await bench.frame.getByText("bad", { exact: true }).click();
    assert.deepEqual(await bench.submit(), { category: { label: "bad" } });
    await bench.post({ type: "rejected", message: "" });
    await bench.frame.getByRole("button", { name: "Say why" }).click();
    await bench.frame.getByRole("textbox").fill("Too wide.");
    await bench.frame.getByRole("button", { name: "Save" }).click();
    assert.deepEqual(await bench.submit(), { category: { label: "bad", workerComment: "Too wide." } });
  });

  test("crowd-image-classifier-multi-select", async () => {
    await open(TEMPLATES["image-classifier-multi-select"] ?? "");
    await bench.frame.getByText("Bird", { exact: true }).click();
    await bench.frame.getByText("Cat", { exact: true }).click();
    assert.deepEqual(await bench.submit(), { animals: { labels: ["Cat", "Bird"] } });
  });

  test("fields of all kinds in one answer; what is required is asked for at the field", async () => {
    await open(TEMPLATES.form ?? "");
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await element("crowd-input").first().getByText("Please fill in this field.").waitFor();
    await bench.frame.getByLabel("Word or phrase 1").fill("blue");
    await element("crowd-text-area textarea").fill("one\ntwo");
    await bench.frame.getByText("Too dim").click();
    await bench.frame.getByText("Technology").click();
    await bench.frame.locator("select").selectOption("One");
    await bench.frame.getByText("Sure").click();
    assert.deepEqual(await bench.submit(), {
      tag1: "blue",
      why: "one\ntwo",
      image_attributes: { blurry: true, dim: true },
      tech: { tech: true },
      politics: { politics: false },
      plain: "One",
      sure: { yes: true },
    });
  });

  test("an answer comes back as a draft, field by field; what does not fit is left", async () => {
    await open(TEMPLATES.form ?? "", { tag1: "blue", why: 7, image_attributes: { dim: true, blurry: "x" }, tech: { tech: true }, politics: { politics: false }, plain: "One", sure: { yes: true } });
    assert.deepEqual((await bench.submit()).tech, { tech: true });
    const { answer } = await bench.waitFor("submit");
    assert.deepEqual(answer, { tag1: "blue", why: "Because.", image_attributes: { blurry: true, dim: true }, tech: { tech: true }, politics: { politics: false }, plain: "One", sure: { yes: true } });
  });

  const note = `<crowd-form><input name="note" value="as it was"></crowd-form>`;

  test("what is done while the page around is too busy to hear is told when it listens", async () => {
    bench = await Bench.open(site, browser.context, note, { busy: true });
    // The frame has given up waiting by then, and has looked at what was typed.
    await bench.frame.evaluate("new Promise((done) => setTimeout(done, 1200))");
    await bench.frame.locator("[name=note]").fill("typed meanwhile");
    await bench.frame.evaluate("new Promise((done) => setTimeout(done, 400))");
    await bench.listen();
    assert.deepEqual((await bench.waitFor("change")).answer, { note: "typed meanwhile" });
  });

  test("a draft that comes late is not overwritten by what was typed before it", async () => {
    bench = await Bench.open(site, browser.context, note, { busy: true, draft: { note: "the draft" } });
    await bench.frame.locator("[name=note]").fill("typed meanwhile");
    await bench.frame.evaluate("new Promise((done) => setTimeout(done, 400))");
    await bench.listen();
    await bench.frame.waitForFunction(`document.querySelector("[name=note]").value === "the draft"`);
    await bench.frame.evaluate("new Promise((done) => setTimeout(done, 400))");
    assert.deepEqual(await bench.said("change"), []);
  });

  test("what is done before the elements are ready is told", async () => {
    const early = `<script>{ const note = document.querySelector("[name=note]"); note.value = "early"; note.dispatchEvent(new Event("input", { bubbles: true })); }</script>`;
    await open(note + early);
    assert.deepEqual((await bench.waitFor("change")).answer, { note: "early" });
  });

  test("a change is told within 300 ms and a bit, once", async () => {
    await open(TEMPLATES.form ?? "");
    // In one go: strokes that are further apart than that, as on a busy machine, are told one by one.
    await bench.frame.getByLabel("Word or phrase 1").evaluate((field: HTMLInputElement) => {
      for (const text of ["b", "bl", "blu", "blue"]) {
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      }
    });
    assert.equal((await bench.waitFor("change")).answer.tag1, "blue");
    await bench.page.waitForTimeout(700);
    assert.equal((await bench.said("change")).length, 1, "changes for four strokes");
  });

  test("onsubmit comes before values are collected, and can prevent", async () => {
    await open(`<crowd-form id="f"><input type="hidden" name="made" id="made"><crowd-input name="word" id="word"></crowd-input></crowd-form>
      <script>var tries = 0; f.onsubmit = function (e) { tries++; if (word.value === "") { e.preventDefault(); return; } made.value = "made of " + word.value; };</script>`);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    assert.equal(await bench.frame.evaluate("tries"), 1);
    assert.deepEqual(await bench.said("submit"), []);
    await element("crowd-input input").fill("clay");
    assert.deepEqual(await bench.submit(), { made: "made of clay", word: "clay" });
  });

  test("crowd-form.submit() from a script; a plain button does not submit by itself", async () => {
    await open(`<crowd-form><input name="x" value="1"><button id="plain">Plain</button><button id="go">Go</button></crowd-form><script>go.onclick = () => document.querySelector("crowd-form").submit();</script>`);
    await element("#plain").click();
    assert.deepEqual(await bench.said("submit"), []);
    await element("#go").click();
    assert.deepEqual((await bench.waitFor("submit")).answer, { x: "1" });
  });

  test("a nested <form> and the author's own submit button are ours", async () => {
    await open(`<crowd-form><form><input name="x" value="1"><button type="submit">Send</button></form><crowd-button form-action="submit" style="display:none">S</crowd-button></crowd-form>`);
    assert.equal(await bench.frame.getByRole("button", { name: "Submit" }).count(), 0);
    await bench.frame.getByRole("button", { name: "Send" }).click();
    assert.deepEqual((await bench.waitFor("submit")).answer, { x: "1" });
  });

  test("crowd-button form-action: submit after the author's click handler, reset", async () => {
    await open(`<crowd-form><crowd-input name="x" value="a"></crowd-input><crowd-button id="s" form-action="submit">Hand in</crowd-button><crowd-button form-action="reset">Reset</crowd-button></crowd-form>`);
    await element("crowd-input input").fill("b");
    await bench.frame.getByRole("button", { name: "Reset" }).click();
    await bench.frame.getByRole("button", { name: "Hand in" }).click();
    assert.deepEqual((await bench.waitFor("submit")).answer, { x: "a" });
    assert.equal(await element("#s button").isDisabled(), true, "a second press would hand in twice");
  });

  test("all-crowd-elements-ready comes once, after elements that are parsed later are rendered", async () => {
    await open(`<script>window.ready = []; document.addEventListener("all-crowd-elements-ready", () => ready.push(document.querySelector("crowd-classifier").shadowRoot.querySelector(".annotation-area .category-picker-wrapper") !== null));</script>
      <crowd-form><crowd-classifier name="c" categories="['a']" header="h"><classification-target>t</classification-target></crowd-classifier></crowd-form>`);
    assert.deepEqual(await bench.frame.evaluate("ready"), [true]);
  });

  test("categories are live; a change event reads as the label", async () => {
    await open(`<crowd-form><crowd-classifier id="c" name="c" categories="['a']" header="h"></crowd-classifier></crowd-form>
      <script>window.seen = []; c.addEventListener("change", (e) => seen.push({ b: 1 }[e.target.value], e.target.value.label)); document.addEventListener("all-crowd-elements-ready", () => (c.categories = ["a", "b"]));</script>`);
    await bench.frame.getByText("b", { exact: true }).click();
    assert.deepEqual(await bench.frame.evaluate("seen"), [1, "b"]);
  });

  test("crowd-input: allowed characters, length, and null from a script", async () => {
    await open(`<crowd-form><crowd-input id="n" name="n" auto-validate allowed-pattern="[0-9]" error-message="Digits only." max-length="4"></crowd-input></crowd-form>`);
    await element("crowd-input input").click();
    await bench.page.keyboard.type("1a23456");
    assert.equal(await bench.frame.evaluate("n.value"), "1234");
    await bench.frame.evaluate("n.value = null");
    assert.deepEqual(await bench.submit(), {});
  });

  test("crowd-radio-group by arrow keys; a radio button by itself", async () => {
    await open(TEMPLATES.form ?? "");
    await bench.frame.getByRole("radio", { name: "Politics" }).focus();
    await bench.page.keyboard.press("ArrowRight");
    assert.equal(await bench.frame.getByRole("radio", { name: "Technology" }).getAttribute("aria-checked"), "true");
    assert.equal(await bench.frame.getByRole("radio", { name: "Politics" }).getAttribute("aria-checked"), "false");
  });

  test("crowd-tabs: fields in a hidden tab count", async () => {
    await open(TEMPLATES.tabs ?? "");
    await bench.frame.getByRole("tab", { name: "Text" }).click();
    await bench.frame.getByLabel("Input inside tab").fill("in");
    await bench.frame.getByRole("tab", { name: "Picture" }).click();
    await bench.frame.getByLabel("Input outside tabs").fill("out");
    assert.deepEqual(await bench.submit(), { inside: "in", outside: "out" });
  });

  test("a required field in a tab out of sight opens its tab", async () => {
    await open(`<crowd-form><crowd-tabs><crowd-tab header="A">a</crowd-tab><crowd-tab header="B"><crowd-input name="x" required></crowd-input></crowd-tab></crowd-tabs></crowd-form>`);
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText("Please fill in this field.").waitFor();
    assert.deepEqual(await bench.said("submit"), []);
  });

  test("crowd-instructions and full instructions open in dialogs", async () => {
    await open(TEMPLATES.form ?? "");
    await bench.frame.getByRole("button", { name: "View instructions" }).click();
    await bench.frame.getByText("Three words for a picture.").waitFor();
    await bench.frame.getByRole("tab", { name: "Examples" }).click();
    await bench.frame.getByText("Highway, cars, gas station").waitFor();
    await bench.page.keyboard.press("Escape");
    await bench.frame.getByRole("button", { name: "View full instructions" }).click();
    await bench.frame.getByText("More.").waitFor();
  });

  test("crowd-alert made by innerHTML can be closed", async () => {
    await open(`<crowd-form><div id="box"></div></crowd-form><script>box.innerHTML = '<crowd-alert type="error" dismissible>No.</crowd-alert>'</script>`);
    await bench.frame.getByRole("button", { name: "Close" }).click();
    assert.equal(await element("crowd-alert").count(), 0);
  });

  test("a template without crowd-form: the body is the form", async () => {
    await open(TEMPLATES.plain ?? "");
    await bench.frame.getByRole("textbox").fill("42");
    assert.equal((await bench.waitFor("change")).answer.answer, "42");
    assert.deepEqual(await bench.submit(), { answer: "42" });
  });

  test("request-submit, script errors and media that would not load", async () => {
    await open(`<crowd-form><img src="/gone.jpg"><input name="x" value="1"></crowd-form><script>setTimeout(() => { throw new Error("a slip") }, 10)</script>`);
    assert.match((await bench.waitFor("media-error")).url ?? "", /gone\.jpg$/);
    assert.match((await bench.waitFor("error")).message ?? "", /a slip/);
    await bench.post({ type: "request-submit" });
    assert.deepEqual((await bench.waitFor("submit")).answer, { x: "1" });
  });

  test("a template stays light unless it says that it can be dark", async () => {
    await open(`<crowd-form></crowd-form>`);
    await bench.post({ type: "theme", value: "dark" });
    await bench.page.waitForTimeout(100);
    assert.equal(await bench.frame.evaluate("document.documentElement.dataset.crowdTheme ?? null"), null);
    await bench.close();
    bench = await Bench.open(site, browser.context, `<crowd-form></crowd-form>`, { head: '<meta name="color-scheme" content="light dark">' });
    await bench.post({ type: "theme", value: "dark" });
    await bench.frame.waitForFunction(`document.documentElement.dataset.crowdTheme === "dark"`);
  });

  test("in a frame that nobody speaks with, an answer handed in at once is shown all the same", async () => {
    await open(`<crowd-form></crowd-form>`);
    site.pages.set("/lonely", frameDocument(`<crowd-form><input name="x" value="1"></crowd-form><script>document.addEventListener("all-crowd-elements-ready", () => queueMicrotask(() => setTimeout(() => document.querySelector("crowd-form").submit())))</script>`));
    site.pages.set("/silent", `<iframe sandbox="allow-scripts allow-forms" src="/lonely"></iframe>`);
    await bench.page.goto(`${site.origin}/silent`);
    const frame = bench.page.frameLocator("iframe");
    assert.deepEqual(JSON.parse((await frame.locator("table code").textContent()) ?? ""), { x: "1" });
    await frame.getByRole("button", { name: "Submit" }).waitFor();
  });

  test("opened on its own, Submit shows the answer in a table", async () => {
    await open(`<crowd-form></crowd-form>`);
    site.pages.set("/alone", frameDocument(`<crowd-form><input name="x" value="1"></crowd-form>`));
    await bench.page.goto(`${site.origin}/alone`);
    await bench.page.getByRole("button", { name: "Submit" }).click();
    assert.deepEqual(JSON.parse((await bench.page.locator("table code").textContent()) ?? ""), { x: "1" });
  });
});
