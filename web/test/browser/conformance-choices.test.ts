import assert from "node:assert/strict";
import { walk } from "./conformance.js";
import type { Probe } from "./conformance.js";

/** What checkboxes, radio buttons and toggle buttons have in common. */
function switchChecks(role: "checkbox" | "radio" | "switch") {
  const part = (id: string) => `#${id} [role=${role}], #${id} input`;
  const on = async (p: Probe, id: string) => (await p.$(part(id)).first().evaluate((e) => (e instanceof HTMLInputElement ? String(e.checked) : e.getAttribute("aria-checked")))) === "true";
  return {
    checked: async (p: Probe) => {
      assert.equal(await on(p, "preset"), true);
      assert.equal(await on(p, "plain"), false);
      assert.deepEqual(JSON.parse(await p.answer()).preset, { on: true });
    },
    disabled: async (p: Probe) => {
      await p.$(part("off")).first().click({ force: true });
      assert.equal(await on(p, "off"), false);
      assert.equal(JSON.parse(await p.answer()).off, undefined);
    },
    "property disabled": async (p: Probe) => {
      await p.js("void (off.disabled = false)");
      await p.$(part("off")).first().click();
      assert.equal(await on(p, "off"), true);
      await p.js("void (off.disabled = true, off.checked = false)");
    },
    name: async (p: Probe) => assert.deepEqual(JSON.parse(await p.answer()).plain, { on: false }),
    value: async (p: Probe) => {
      assert.deepEqual(JSON.parse(await p.answer()).valued, { yes: false });
      await p.expect("[plain.value, valued.value]", ["on", "yes"]);
    },
    "property value": async (p: Probe) => {
      await p.js("void (valued.value = 'sure')");
      assert.deepEqual(JSON.parse(await p.answer()).valued, { sure: false });
      await p.js("void (valued.value = 'yes')");
    },
    "property _submittableValue": async (p: Probe) => p.expect("preset._submittableValue", { on: true }),
    "event input": async (p: Probe) => assert.equal(await p.events("input", () => p.bench.frame.getByRole(role, { name: "Plain" }).click()), 1),
    "event change": async (p: Probe) => {
      assert.equal(await p.events("change", () => p.bench.frame.getByRole(role, { name: "Plain" }).press(" ")), 1, "and the keyboard");
      assert.equal(await on(p, "plain"), false);
      await p.js("void (plain.checked = true)");
      assert.equal(await on(p, "plain"), true, "the property is live");
      await p.js("void (plain.checked = false)");
    },
  };
}

const switches = (tag: string): string => `<${tag} id="plain" name="plain">Plain</${tag}><${tag} id="preset" name="preset" checked="true">Preset</${tag}><${tag} id="off" name="off" disabled>Off</${tag}><${tag} id="valued" name="valued" value="yes">Valued</${tag}>`;

function required(message: string, id = "needed") {
  return async (p: Probe) => {
    await p.bench.frame.getByRole("button", { name: "Submit" }).click();
    await p.$(`#${id}`).getByText(message).waitFor();
    await p.expect("document.activeElement.id", id);
    assert.equal(await p.submits(), 0);
    await p.bench.page.keyboard.press(" ");
    await p.$(`#${id}`).getByText(message).waitFor({ state: "hidden" });
  };
}

walk("what is documented: choices", {
  "crowd-checkbox": {
    template: `<crowd-form>${switches("crowd-checkbox")}<crowd-checkbox id="needed" name="needed" required>Needed</crowd-checkbox>
      <crowd-checkbox name="image_attributes" value="blurry">Blurry</crowd-checkbox><crowd-checkbox name="image_attributes" value="dim">Too Dim</crowd-checkbox><crowd-checkbox name="image_attributes" value="exposed">Too Bright</crowd-checkbox>
      <crowd-checkbox name="Stop" value="Red">Red</crowd-checkbox><crowd-checkbox name="Slow" value="Yellow">Yellow</crowd-checkbox><crowd-checkbox name="Go" value="Green">Green</crowd-checkbox></crowd-form>`,
    checks: {
      ...switchChecks("checkbox"),
      required: required("Please tick this box."),
      answer: async (p) => {
        await p.js("void [plain, preset, off, valued, needed].forEach((e) => e.remove())");
        for (const name of ["Blurry", "Too Dim", "Red"]) await p.bench.frame.getByText(name, { exact: true }).click();
        assert.equal(JSON.stringify(await p.bench.submit()), '{"Go":{"Green":false},"Slow":{"Yellow":false},"Stop":{"Red":true},"image_attributes":{"blurry":true,"dim":true,"exposed":false}}');
      },
    },
  },
  "crowd-toggle-button": {
    template: `<crowd-form>${switches("crowd-toggle-button")}<crowd-toggle-button id="needed" name="needed" required>Needed</crowd-toggle-button><crowd-toggle-button id="bad" name="bad" invalid>Bad</crowd-toggle-button></crowd-form>`,
    checks: {
      ...switchChecks("switch"),
      required: required("Please switch this on."),
      invalid: async (p) => {
        const border = (id: string) => p.style(`#${id} input`, "border-color");
        assert.notEqual(await border("bad"), await border("plain"), "while off");
        await p.js("void (bad.checked = plain.checked = true)");
        await p.bench.frame.waitForFunction("(() => { const c = (e) => getComputedStyle(e.shadowRoot.querySelector('input')).borderColor; return c(bad) === c(plain) })()");
        await p.js("void (bad.checked = plain.checked = false)");
      },
      answer: async (p) => {
        await p.js("void ([preset, off, valued, needed, bad].forEach((e) => e.remove()), plain.name = 'theToggler')");
        await p.bench.frame.getByRole("switch").click();
        assert.equal(JSON.stringify(await p.bench.submit()), '{"theToggler":{"on":true}}');
      },
    },
  },
  "crowd-radio-button": {
    template: `<crowd-form>${switches("crowd-radio-button")}<crowd-radio-button name="group" value="b">Second</crowd-radio-button><crowd-radio-button name="group" value="a">First</crowd-radio-button></crowd-form>`,
    checks: {
      ...switchChecks("radio"),
      answer: async (p) => {
        await p.bench.frame.getByText("First").click();
        await p.bench.frame.getByText("Second").click();
        assert.equal(await p.answer(), '{"group":{"a":true,"b":true},"plain":{"on":false},"preset":{"on":true},"valued":{"yes":false}}', "outside of a group each is by itself");
      },
    },
  },
  "crowd-radio-group": {
    template: `<crowd-form><crowd-radio-group id="group"><crowd-radio-button name="btn1" value="yes">Yes</crowd-radio-button><crowd-radio-button name="btn2" value="no">No</crowd-radio-button></crowd-radio-group></crowd-form>`,
    checks: {
      "one at a time": async (p) => {
        await p.bench.frame.getByText("Yes").click();
        await p.bench.frame.getByRole("radio", { name: "Yes" }).press("ArrowDown");
        await p.expect("[...group.children].map((b) => b.checked)", [false, true]);
        await p.bench.frame.getByRole("radio", { name: "No" }).press("ArrowDown");
        await p.expect("[...group.children].map((b) => b.checked)", [true, false]);
      },
      answer: async (p) => assert.equal(JSON.stringify(await p.bench.submit()), '{"btn1":{"yes":true},"btn2":{"no":false}}'),
    },
  },
  "crowd-slider": {
    template: `<crowd-form><crowd-slider id="plain" name="plain"></crowd-slider><crowd-slider id="off" name="off" value="7" disabled></crowd-slider><crowd-slider id="preset" name="preset" min="1" max="5" step="0.5" value="3.2" pin></crowd-slider>
      <crowd-slider id="typed" name="typed" editable min="-10" max="10" secondary-progress="5"></crowd-slider><crowd-slider id="needed" name="needed" min="1" max="5" required aria-label="Needed"><crowd-slider-label position="1">poor</crowd-slider-label><crowd-slider-label position="5" id="best">good</crowd-slider-label></crowd-slider></crowd-form>`,
    checks: {
      name: async (p) => assert.equal(JSON.parse(await p.answer()).plain, 0),
      disabled: async (p) => {
        assert.ok(await p.$("#off input").isDisabled());
        assert.equal(JSON.parse(await p.answer()).off, undefined);
      },
      "property disabled": async (p) => {
        await p.js("void (off.disabled = false)");
        assert.equal(JSON.parse(await p.answer()).off, 7);
        await p.js("void (off.disabled = true)");
      },
      min: async (p) => {
        await p.expect("(needed.value = -3, needed.value)", 1);
        await p.js("void (needed.value = null)");
      },
      max: async (p) => {
        await p.expect("(plain.value = 300, plain.value)", 100);
        await p.js("void (plain.value = null)");
      },
      step: async (p) => {
        await p.$("#preset input").press("ArrowRight");
        await p.expect("preset.value", 3.5);
      },
      value: async (p) => {
        await p.expect("(preset.value = null, preset.value)", 3);
      },
      pin: async (p) => {
        assert.equal(await p.$("#preset .pin").textContent(), "3");
        assert.equal(await p.$("#plain .pin").count(), 0);
      },
      editable: async (p) => {
        await p.$('#typed [type="number"]').fill("-4");
        await p.$('#typed [type="number"]').blur();
        await p.expect("typed.value", -4);
        assert.equal(await p.$('#typed [type="range"]').inputValue(), "-4");
        assert.equal(await p.$('#plain [type="number"]').count(), 0);
      },
      "secondary-progress": async (p) => assert.equal(await p.$("#typed .rail").evaluate((e) => (e as HTMLElement).style.getPropertyValue("--second")), "0.75"),
      required: async (p) => {
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.$("#needed").getByText("Please choose a value.").waitFor();
        await p.expect("document.activeElement.id", "needed");
        await p.bench.page.keyboard.press("Enter");
        await p.$("#needed").getByText("Please choose a value.").waitFor({ state: "hidden" });
        await p.expect("needed.value", 1);
      },
      "<crowd-slider-label>": async (p) => {
        await p.bench.frame.getByText("good").click();
        await p.expect("needed.value", 5);
        assert.equal(await p.$("#needed input").getAttribute("aria-valuetext"), "5, good");
      },
      "<crowd-slider-label> position": async (p) => {
        const [label, rail] = [await p.$("#best").boundingBox(), await p.$("#needed .rail").boundingBox()];
        assert.ok(label && rail && Math.abs(label.x + label.width - (rail.x + rail.width)) < 2);
      },
      "property value": async (p) => {
        await p.expect("(plain.value = '42', plain.value)", 42);
        assert.equal(await p.$("#plain input").inputValue(), "42");
      },
      "property _submittableValue": async (p) => p.expect("plain._submittableValue", 42),
      "event input": async (p) => assert.equal(await p.events("input", () => p.$("#plain input").press("ArrowRight")), 1),
      "event change": async (p) => assert.equal(await p.events("change", () => p.$("#plain input").press("ArrowRight")), 1),
      answer: async (p) => assert.equal(JSON.stringify(await p.bench.submit()), '{"needed":5,"plain":44,"preset":3,"typed":-4}'),
    },
  },
});
