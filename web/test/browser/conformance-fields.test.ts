import assert from "node:assert/strict";
import { walk } from "./conformance.js";
import type { Probe } from "./conformance.js";

/** What the checks of all text fields have in common; `control` is the field within. */
function textChecks(control: string) {
  const inner = (id: string) => `#${id} ${control}`;
  return {
    name: async (p: Probe) => p.expect("plain.name", "plain"),
    value: async (p: Probe) => {
      assert.equal(await p.$(inner("preset")).inputValue(), "given");
      assert.equal(JSON.parse(await p.answer()).preset, "given");
    },
    label: async (p: Probe) => p.bench.frame.getByLabel("The label").waitFor(),
    placeholder: async (p: Probe) => {
      assert.equal(await p.$(inner("hint")).getAttribute("placeholder"), "Like this");
      assert.equal(JSON.parse(await p.answer()).hint, undefined, "it is no default");
    },
    "auto-focus": async (p: Probe) => p.expect("document.activeElement.id", "focused"),
    disabled: async (p: Probe) => {
      assert.ok(await p.$(inner("off")).isDisabled());
      assert.equal(JSON.parse(await p.answer()).off, undefined);
    },
    "property disabled": async (p: Probe) => {
      await p.js("void (off.disabled = false)");
      assert.ok(await p.$(inner("off")).isEnabled());
      assert.equal(JSON.parse(await p.answer()).off, "x");
      await p.js("void (off.disabled = true)");
    },
    "max-length": async (p: Probe) => {
      await p.$(inner("short")).pressSequentially("abcdef");
      await p.expect("short.value", "abcd");
      await p.js("void (short.value = '')");
    },
    "allowed-pattern": async (p: Probe) => {
      await p.$(inner("digits")).pressSequentially("1a2b");
      await p.expect("digits.value", "12");
    },
    "auto-validate": async (p: Probe) => {
      await p.$(inner("free")).pressSequentially("1a");
      await p.expect("free.value", "1a");
      await p.js("void (free.value = '')");
    },
    "error-message": async (p: Probe) => {
      await p.$(inner("digits")).press("x");
      await p.$("#digits").getByText("Digits only.").waitFor();
      await p.$(inner("digits")).press("3");
      await p.$("#digits").getByText("Digits only.").waitFor({ state: "hidden" });
      assert.equal(await p.$(inner("digits")).getAttribute("aria-invalid"), "false");
    },
    required: async (p: Probe) => {
      await p.bench.frame.getByRole("button", { name: "Submit" }).click();
      await p.$("#needed").getByText("Please fill in this field.").waitFor();
      await p.expect("document.activeElement.id", "needed");
      assert.equal(await p.submits(), 0);
      await p.bench.page.keyboard.type("here");
      await p.$("#needed").getByText("Please fill in this field.").waitFor({ state: "hidden" });
    },
    "property value": async (p: Probe) => {
      await p.js("void (plain.value = 'by script')");
      assert.equal(await p.$(inner("plain")).inputValue(), "by script");
      await p.js("void (plain.value = null)");
      await p.expect("plain.value", "");
    },
    "property _submittableValue": async (p: Probe) => p.expect("preset._submittableValue", "given"),
    "event input": async (p: Probe) => assert.equal(await p.events("input", () => p.$(inner("plain")).pressSequentially("ab")), 2),
    "event change": async (p: Probe) => {
      const events = await p.events("change", async () => {
        await p.$(inner("plain")).fill("changed");
        await p.$(inner("plain")).blur();
      });
      assert.ok(events >= 1);
      await p.js("void (plain.value = '')");
    },
  };
}

const texts = (tag: string): string => `<crowd-form>
  <${tag} id="plain" name="plain"></${tag}><${tag} id="preset" name="preset" value="given"></${tag}><${tag} label="The label" name="labelled"></${tag}><${tag} id="hint" name="hint" placeholder="Like this"></${tag}>
  <${tag} id="focused" name="focused" auto-focus></${tag}><${tag} id="off" name="off" value="x" disabled></${tag}><${tag} id="short" name="short" max-length="4"></${tag}>
  <${tag} id="digits" name="digits" auto-validate allowed-pattern="[0-9]" error-message="Digits only."></${tag}><${tag} id="free" name="free" allowed-pattern="[0-9]"></${tag}><${tag} id="needed" name="needed" required></${tag}>`;

walk("what is documented: text fields", {
  "crowd-input": {
    template: `${texts("crowd-input")}<crowd-input id="long" name="long" min-length="3"></crowd-input><crowd-input id="day" name="day" type="date"></crowd-input><crowd-input id="mail" name="mail" type="email"></crowd-input></crowd-form>`,
    checks: {
      ...textChecks("input"),
      "min-length": async (p) => {
        await p.$("#long input").fill("ab");
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.$("#long").getByText("at least 3").waitFor();
        await p.$("#long input").fill("abc");
      },
      type: async (p) => {
        assert.equal(await p.$("#day input").getAttribute("type"), "date");
        await p.$("#day input").fill("2026-03-05");
        await p.expect("day.value", "2026-03-05");
        await p.$("#mail input").fill("no address");
        await p.bench.frame.getByRole("button", { name: "Submit" }).click();
        await p.$("#mail .problem:not(:empty)").waitFor();
        assert.equal(await p.submits(), 0);
        await p.$("#mail input").fill("");
        await p.$("#day input").fill("");
      },
      answer: async (p) => {
        await p.js(`void [preset, needed, digits, long].forEach((field) => (field.value = ""), (needed.name = "tag1", long.name = "tag2", plain.name = "tag3"))`);
        await p.$("#needed input").fill("blue");
        await p.js("void (long.value = '', plain.value = '', preset.value = '', long.minLength = 0)");
        await p.$("#long input").fill("red");
        assert.equal(JSON.stringify(await p.bench.submit()), '{"tag1":"blue","tag2":"red"}', "an empty field is no part of it");
      },
    },
  },
  "crowd-text-area": {
    template: `${texts("crowd-text-area")}<crowd-text-area id="counted" name="counted" char-counter max-length="9" value="abc"></crowd-text-area><crowd-text-area id="tall" name="tall" rows="6"></crowd-text-area><crowd-text-area id="low" name="low" rows="2" max-rows="4"></crowd-text-area></crowd-form>`,
    checks: {
      ...textChecks("textarea"),
      "char-counter": async (p) => {
        await p.$("#counted").getByText("3 / 9").waitFor();
        await p.$("#counted textarea").press("End");
        await p.$("#counted textarea").press("x");
        await p.$("#counted").getByText("4 / 9").waitFor();
        assert.equal(await p.$("#plain .counter").count(), 0);
      },
      rows: async (p) => {
        const height = async (id: string) => (await p.$(`#${id} textarea`).boundingBox())?.height ?? 0;
        const line = ((await height("tall")) - (await height("low"))) / 4;
        assert.ok(line > 15 && line < 40, `a row of ${line} pixels`);
      },
      "max-rows": async (p) => {
        const height = async () => (await p.$("#low textarea").boundingBox())?.height ?? 0;
        const low = await height();
        await p.$("#low textarea").fill("1\n2\n3\n4\n5\n6\n7\n8\n9");
        const high = await height();
        assert.ok(high > low && high < low * 2.2, `from ${low} to ${high} pixels`);
        await p.js("void (low.value = '')");
      },
      answer: async (p) => {
        await p.js("void (counted.value = '', preset.value = '', digits.value = '', plain.value = '', needed.name = 'textInput1')");
        await p.$("#needed textarea").fill("This is the text; the text that\nmakes the crowd go wild.");
        assert.equal(JSON.stringify(await p.bench.submit()), JSON.stringify({ textInput1: "This is the text; the text that\nmakes the crowd go wild." }));
      },
    },
  },
});
