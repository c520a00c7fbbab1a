import assert from "node:assert/strict";
import { walk } from "./conformance.js";

const DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

walk("what is documented: page", {
  "crowd-alert": {
    template: `<crowd-form><crowd-alert id="plain">Plain</crowd-alert><crowd-alert id="closable" dismissible type="error">Closable</crowd-alert>
      <crowd-alert id="fine" type="success">Fine</crowd-alert><crowd-alert id="careful" type="warning">Careful</crowd-alert><crowd-alert id="odd" type="odd">Odd</crowd-alert></crowd-form>`,
    checks: {
      type: async (p) => {
        for (const [id, kind, role] of [["plain", "info", "status"], ["fine", "success", "status"], ["careful", "warning", "alert"], ["closable", "error", "alert"], ["odd", "info", "status"]]) {
          assert.equal(await p.$(`#${id} .alert.${kind}`).getAttribute("role"), role, id);
        }
      },
      dismissible: async (p) => {
        assert.equal(await p.$("#plain button").count(), 0);
        await p.$("#closable").getByRole("button", { name: "Close" }).click();
        assert.equal(await p.$("#closable").count(), 0);
      },
    },
  },
  "crowd-badge": {
    template: `<crowd-form><p style="margin: 60px"><b id="one" style="display: inline-block; width: 200px">One</b></p><div id="own" style="position: relative; margin: 60px; width: 200px; height: 40px"><crowd-badge id="in" icon="star"/></div>
      <crowd-badge id="by" for="one" label="12"></crowd-badge><crowd-badge id="url" for="one" icon="${DOT}" label="no"></crowd-badge></crowd-form>`,
    checks: {
      for: async (p) => {
        for (const [badge, target] of [["by", "one"], ["in", "own"]]) {
          const [mark, corner] = [await p.$(`#${badge} .badge`).boundingBox(), await p.$(`#${target}`).boundingBox()];
          assert.ok(mark && corner && Math.abs(mark.x + mark.width / 2 - (corner.x + corner.width)) < 2 && Math.abs(mark.y + mark.height / 2 - corner.y) < 2, `${badge}: ${JSON.stringify({ mark, corner })}`);
        }
      },
      label: async (p) => assert.equal(await p.$("#by .badge").textContent(), "12"),
      icon: async (p) => {
        assert.equal(await p.$("#in .badge svg path").count(), 1);
        assert.equal(await p.$("#url .badge img").getAttribute("src"), DOT);
        assert.equal(((await p.$("#url .badge").textContent()) ?? "").trim(), "", "an icon takes the place of the label");
      },
    },
  },
  "crowd-button": {
    template: `<crowd-form><crowd-input id="word" name="word" value="a"></crowd-input><crowd-button id="off" disabled>Off</crowd-button><crowd-button id="reset" form-action="reset">Reset</crowd-button>
      <crowd-button id="go" form-action="submit">Go</crowd-button><crowd-button id="link" href="https://example.com/x" target="_blank">Link</crowd-button>
      <crowd-button id="left" icon="search">Left</crowd-button><crowd-button id="right" icon="search" icon-align="right">Right</crowd-button><crowd-button id="unknown" icon="no-such-icon">Unknown</crowd-button>
      <crowd-button id="own" icon-url="${DOT}" icon="search">Own</crowd-button><crowd-button id="busy" loading disabled>Busy</crowd-button><crowd-button id="within"><iron-icon icon="question-answer"/></crowd-button>
      <crowd-button id="first" variant="primary">First</crowd-button><crowd-button id="normal" variant="normal">Normal</crowd-button><crowd-button id="quiet" variant="link">Quiet</crowd-button><crowd-button id="only" variant="icon" icon="settings">Only</crowd-button>
      </crowd-form><script>var clicks = 0; for (const id of ["off", "busy", "left"]) document.getElementById(id).addEventListener("click", () => clicks++)</script>`,
    checks: {
      disabled: async (p) => {
        await p.js("void (off.click(), left.click())");
        await p.expect("clicks", 1);
        assert.ok(await p.$("#off button").isDisabled());
        await p.js("void (off.disabled = false)");
        await p.$("#off").click();
        await p.expect("clicks", 2);
      },
      "form-action": async (p) => {
        await p.$("#word input").fill("b");
        await p.$("#reset").click();
        await p.expect("word.value", "a");
        await p.$("#go").click();
        assert.deepEqual((await p.bench.waitFor("submit")).answer, { word: "a" });
        await p.bench.post({ type: "rejected", message: "" });
        assert.equal(await p.bench.frame.getByRole("button", { name: "Submit" }).count(), 0, "no button besides the author's");
      },
      href: async (p) => assert.equal(await p.bench.frame.getByRole("link", { name: "Link" }).getAttribute("href"), "https://example.com/x"),
      target: async (p) => assert.equal(await p.$("#link a").getAttribute("target"), "_blank"),
      icon: async (p) => {
        for (const id of ["left", "unknown", "within"]) assert.equal(await p.$(`#${id} svg`).count(), 1, id);
        assert.equal(await p.$("#normal svg").count(), 0);
        await p.bench.frame.getByRole("button", { name: "question answer" }).waitFor();
      },
      "icon-align": async (p) => {
        assert.equal(await p.style("#left .button", "flex-direction"), "row");
        assert.equal(await p.style("#right .button", "flex-direction"), "row-reverse");
      },
      "icon-url": async (p) => {
        assert.equal(await p.$("#own img").getAttribute("src"), DOT);
        assert.equal(await p.$("#own svg").count(), 0);
      },
      loading: async (p) => {
        assert.equal(await p.$("#busy .spinner").count(), 1, "before being disabled");
        await p.js("void busy.click()");
        await p.expect("clicks", 2);
      },
      variant: async (p) => {
        await p.bench.page.mouse.move(0, 0);
        const ground = (id: string) => p.style(`#${id} .button`, "background-color");
        assert.equal(await ground("first"), await ground("go"), "a button that submits is a primary one");
        assert.notEqual(await ground("first"), await ground("normal"));
        assert.match(await p.style("#quiet .button", "text-decoration"), /underline/);
        const only = await p.bench.frame.getByRole("button", { name: "Only" }).boundingBox();
        assert.ok(only && only.width < 40, "an icon without its text");
      },
    },
  },
  "crowd-card": {
    template: `<crowd-form><crowd-card id="card" heading="Heading" image="/photo.jpg"><p>Text</p></crowd-card></crowd-form>`,
    checks: {
      heading: async (p) => {
        await p.bench.frame.getByRole("heading", { name: "Heading" }).waitFor();
        await p.js("void (card.heading = 'Another')");
        await p.bench.frame.getByRole("heading", { name: "Another" }).waitFor();
      },
      image: async (p) => assert.equal(await p.$("#card img").getAttribute("src"), "/photo.jpg"),
    },
  },
  "crowd-fab": {
    template: `<crowd-form><crowd-fab id="one" icon="report-problem" title="Issue"></crowd-fab><crowd-fab id="two" label="A"></crowd-fab><crowd-fab id="many" label="Many"></crowd-fab><crowd-fab id="url" icon="${DOT}" title="Dot"></crowd-fab><crowd-fab id="off" icon="add" disabled title="Off"/>
      </crowd-form><script>var clicks = 0; for (const fab of document.querySelectorAll("crowd-fab")) fab.addEventListener("click", () => clicks++)</script>`,
    checks: {
      title: async (p) => {
        await p.bench.frame.getByRole("button", { name: "Issue" }).click();
        await p.expect("clicks", 1);
        await p.expect("one.title", "Issue");
      },
      icon: async (p) => {
        assert.equal(await p.$("#one svg").count(), 1);
        assert.equal(await p.$("#url img").getAttribute("src"), DOT);
      },
      label: async (p) => {
        assert.equal(await p.$("#two button").textContent(), "A");
        assert.equal(await p.$("#many button").textContent(), "…");
        await p.bench.frame.getByRole("button", { name: "Many" }).waitFor();
      },
      disabled: async (p) => {
        await p.js("void off.click()");
        await p.expect("clicks", 1);
        assert.ok(await p.$("#off button").isDisabled());
      },
    },
  },
  "crowd-icon-button": {
    template: `<crowd-form><crowd-icon-button id="one" icon="icons:thumb-up"></crowd-icon-button><crowd-icon-button id="none" icon="no-such-icon"></crowd-icon-button><crowd-icon-button id="url" icon="${DOT}"></crowd-icon-button><crowd-icon-button id="off" icon="delete" disabled/>
      </crowd-form><script>var clicks = 0; for (const b of document.querySelectorAll("crowd-icon-button")) b.addEventListener("click", () => clicks++)</script>`,
    checks: {
      icon: async (p) => {
        await p.bench.frame.getByRole("button", { name: "thumb up" }).click();
        await p.expect("clicks", 1);
        assert.equal(await p.$("#none svg").count(), 1, "a neutral one for an unknown name");
        assert.equal(await p.$("#url img").getAttribute("src"), DOT);
      },
      disabled: async (p) => {
        await p.js("void off.click()");
        await p.expect("clicks", 1);
        assert.ok(await p.$("#off button").isDisabled());
      },
    },
  },
  "crowd-instructions": {
    template: `<crowd-form><crowd-instructions id="plain"><short-summary>Few</short-summary></crowd-instructions>
      <crowd-instructions id="all" link-text="How to" link-type="button"><short-summary>The summary</short-summary><detailed-instructions>The details</detailed-instructions><positive-example>A good one</positive-example><positive-example>Another good one</positive-example><negative-example>A bad one</negative-example></crowd-instructions></crowd-form>`,
    checks: {
      "link-text": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Click for instructions" }).waitFor();
        await p.bench.frame.getByRole("button", { name: "How to" }).waitFor();
      },
      "link-type": async (p) => {
        assert.equal(await p.$("#plain > button, #plain button.link").count(), 1);
        assert.equal(await p.$("#all button.button").count(), 1);
      },
      "<short-summary>": async (p) => {
        await p.bench.frame.getByRole("button", { name: "How to" }).click();
        await p.bench.frame.getByText("The summary").waitFor();
        assert.equal(await p.bench.frame.getByText("The details").isVisible(), false);
      },
      "<detailed-instructions>": async (p) => {
        await p.$("#all").getByRole("tab", { name: "Summary" }).press("ArrowRight");
        await p.bench.frame.getByText("The details").waitFor();
      },
      "<positive-example>": async (p) => {
        await p.$("#all").getByRole("tab", { name: "Examples" }).click();
        await p.bench.frame.getByText("A good one").waitFor();
        await p.bench.frame.getByText("Another good one").waitFor();
      },
      "<negative-example>": async (p) => {
        await p.bench.frame.getByText("A bad one").waitFor();
        await p.bench.page.keyboard.press("Escape");
        await p.bench.frame.getByText("A bad one").waitFor({ state: "hidden" });
      },
    },
  },
  "crowd-modal": {
    template: `<crowd-form><crowd-modal id="plain"><p>Inside the plain one</p></crowd-modal><crowd-modal id="big" link-text="See more" link-type="button"><crowd-input name="word" label="Word" required></crowd-input></crowd-modal></crowd-form>`,
    checks: {
      "link-text": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Click to open modal" }).click();
        await p.bench.frame.getByText("Inside the plain one").waitFor();
        await p.bench.frame.getByRole("button", { name: "Close" }).click();
        await p.bench.frame.getByText("Inside the plain one").waitFor({ state: "hidden" });
        await p.bench.frame.getByRole("button", { name: "See more" }).waitFor();
      },
      "link-type": async (p) => {
        assert.equal(await p.$("#plain button.link").count(), 1);
        assert.equal(await p.$("#big button.button").count(), 1);
        // What is asked for within it brings it up.
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.bench.frame.getByText("Please fill in this field.").waitFor();
        await p.bench.frame.getByLabel("Word").fill("x");
        await p.bench.page.keyboard.press("Escape");
        await p.$("#big dialog[open]").waitFor({ state: "detached" });
        assert.deepEqual(await p.bench.submit(), { word: "x" });
      },
    },
  },
  "crowd-tab": {
    template: `<crowd-form><crowd-tabs><crowd-tab id="one" header="First">1</crowd-tab><crowd-tab>2</crowd-tab></crowd-tabs></crowd-form>`,
    checks: {
      header: async (p) => {
        await p.bench.frame.getByRole("tab", { name: "First" }).waitFor();
        await p.bench.frame.getByRole("tab", { name: "Tab 2" }).waitFor();
        await p.js("void (one.header = 'Changed')");
        await p.bench.frame.getByRole("tab", { name: "Changed" }).waitFor();
      },
    },
  },
  "crowd-tabs": {
    template: `<crowd-form><crowd-tabs><crowd-tab header="A">a</crowd-tab><crowd-tab header="B"><crowd-input name="b" label="Field B" required></crowd-input><input type="checkbox" name="box" value="foo"><input type="checkbox" name="box" value="bar" checked></crowd-tab></crowd-tabs></crowd-form>`,
    checks: {
      keys: async (p) => {
        await p.bench.frame.getByRole("tab", { name: "A" }).press("End");
        await p.bench.frame.getByLabel("Field B").waitFor();
        await p.bench.frame.getByRole("tab", { name: "B" }).press("ArrowRight");
        await p.bench.frame.getByLabel("Field B").waitFor({ state: "hidden" });
      },
      "fields on every tab": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.bench.frame.getByText("Please fill in this field.").waitFor();
        await p.bench.page.keyboard.type("typed where the focus is");
        assert.deepEqual(await p.bench.submit(), { b: "typed where the focus is", box: { bar: true, foo: false } });
      },
    },
  },
  "crowd-toast": {
    template: `<crowd-form><crowd-toast id="first" text="Said by text" duration="0"></crowd-toast><crowd-toast id="second" duration="100" opened>Goes at once</crowd-toast></crowd-form>
      <script>var closings = 0; second.addEventListener("close", () => closings++)</script>`,
    checks: {
      opened: async (p) => {
        await p.expect("first.checkVisibility()", false);
        await p.expect("second.getAttribute('role')", "status");
      },
      duration: async (p) => {
        await p.bench.frame.waitForFunction("closings === 1 && !second.opened");
        await p.$("#second").waitFor({ state: "hidden" });
      },
      text: async (p) => {
        await p.js("void (first.opened = true)");
        await p.bench.frame.getByText("Said by text").waitFor();
        await p.js("void second.show({ text: 'One at a time', duration: 60000 })");
        await p.bench.frame.getByText("One at a time").waitFor();
        await p.$("#first").waitFor({ state: "hidden" });
        await p.$("#second").getByRole("button", { name: "Close" }).click();
        await p.$("#second").waitFor({ state: "hidden" });
      },
    },
  },
});
