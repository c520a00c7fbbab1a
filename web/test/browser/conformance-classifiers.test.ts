import assert from "node:assert/strict";
import { walk } from "./conformance.js";
import type { Probe } from "./conformance.js";

const REGIONS = `<short-instructions header="In short">Be quick.</short-instructions><full-instructions header="At length">Take care.</full-instructions>`;

/** What all four classifiers have in common; the page's element has the id `it`, the categories A, B and C, and the name `category`. */
function checks(several: boolean) {
  const role = several ? "checkbox" : "radio";
  return {
    header: async (p: Probe) => p.bench.frame.getByRole("heading", { name: "Which one?" }).waitFor(),
    name: async (p: Probe) => p.expect("it.name", "category"),
    categories: async (p: Probe) => {
      for (const name of ["A", "B", "C"]) await p.bench.frame.getByRole(role, { name, exact: true }).waitFor();
      await p.expect("it.getAttribute('categories')", "['A', 'B', // the last\n 'C',]");
    },
    "<short-instructions>": async (p: Probe) => {
      await p.bench.frame.getByText("In short").waitFor();
      await p.bench.frame.getByText("Be quick.").waitFor();
    },
    "<full-instructions>": async (p: Probe) => {
      assert.equal(await p.bench.frame.getByText("Take care.").isVisible(), false);
      await p.bench.frame.getByRole("button", { name: "View full instructions" }).click();
      await p.bench.frame.getByRole("heading", { name: "At length" }).waitFor();
      await p.bench.frame.getByText("Take care.").waitFor();
      await p.bench.page.keyboard.press("Escape");
      await p.bench.frame.getByText("Take care.").waitFor({ state: "hidden" });
    },
    "event change": async (p: Probe) => assert.equal(await p.events("change", () => p.bench.frame.getByRole(role, { name: "B", exact: true }).click()), 1),
    "event input": async (p: Probe) => assert.equal(await p.events("input", () => p.bench.frame.getByRole(role, { name: "A", exact: true }).click()), 1),
    "property value": async (p: Probe) => {
      await p.expect("it.value", several ? { labels: ["A", "B"] } : { label: "A" });
      await p.js(`void (it.value = ${several ? "{ labels: ['C'] }" : "{ label: 'C' }"})`);
      assert.ok(await p.bench.frame.getByRole(role, { name: "C", exact: true }).isChecked());
    },
    "property _submittableValue": async (p: Probe) => p.expect("it._submittableValue", several ? { labels: ["C"] } : { label: "C" }),
    "property categories": async (p: Probe) => {
      await p.js("void (it.categories = ['D', 'A'])");
      await p.bench.frame.getByRole(role, { name: "D", exact: true }).waitFor();
      await p.expect("it.value ?? null", null);
      await p.js(`void it.setAttribute("categories", "['A', 'B', 'C']")`);
      await p.bench.frame.getByRole(role, { name: "B", exact: true }).waitFor();
    },
    "property disabled": async (p: Probe) => {
      await p.js("void (it.disabled = true)");
      assert.ok(await p.bench.frame.getByRole(role, { name: "B", exact: true }).isDisabled());
      assert.equal(await p.answer(), "{}");
      await p.js("void (it.disabled = false)");
    },
    answer: async (p: Probe) => {
      await p.bench.frame.getByRole("button", { name: "Submit" }).click();
      await p.bench.frame.getByText(several ? "Please choose at least one category." : "Please choose a category.").waitFor();
      assert.equal(await p.submits(), 0);
      for (const name of ["C", "A"]) await p.bench.frame.getByRole(role, { name, exact: true }).click();
      assert.equal(JSON.stringify(await p.bench.submit()), several ? '{"category":{"labels":["A","C"]}}' : '{"category":{"label":"A"}}');
      await p.bench.post({ type: "rejected", message: "" });
    },
  };
}

const exclusion = async (p: Probe): Promise<void> => {
  await p.bench.frame.getByText("None of the above").click();
  await p.expect("it.value", { labels: ["None of the above"] });
  await p.bench.frame.getByRole("checkbox", { name: "B", exact: true }).click();
  await p.expect("it.value", { labels: ["B"] });
};

const target = async (p: Probe): Promise<void> => {
  await p.bench.frame.getByText("What is to be classified").waitFor();
};

const element = (tag: string, more: string, inside: string): string => `<crowd-form><${tag} id="it" name="category" header="Which one?" categories="['A', 'B', // the last\n 'C',]" ${more}>${inside}${REGIONS}</${tag}></crowd-form>`;

const COMMENT = `<worker-comment header="Why?" link-text="Say why" placeholder="It is too wide.">Explain.</worker-comment>`;

const picture = async (p: Probe): Promise<void> => {
  await p.bench.pictureReady("#it");
  await p.$("#it .stage img").first().waitFor({ state: "attached" });
};

walk("what is documented: classifiers", {
  "crowd-classifier": {
    template: element("crowd-classifier", "", "<classification-target>What is to be classified</classification-target>"),
    checks: { ...checks(false), "<classification-target>": target },
  },
  "crowd-classifier-multi-select": {
    template: element("crowd-classifier-multi-select", `exclusion-category="{ text: 'None of the above' }"`, "<classification-target>What is to be classified</classification-target>"),
    checks: { ...checks(true), "<classification-target>": target, "exclusion-category": exclusion },
  },
  "crowd-image-classifier": {
    template: element("crowd-image-classifier", `src="/photo.jpg" overlay="{ boundingBox: { labels: ['bird'], value: [{ height: 90, label: 'bird', left: 20, top: 30, width: 100 }] } }"`, COMMENT),
    checks: {
      ...checks(false),
      src: picture,
      overlay: async (p) => {
        await p.$("#it .legend").getByText("bird").waitFor();
        await p.bench.frame.getByRole("button", { name: "Show the labels" }).click();
        assert.equal(await p.bench.frame.getByRole("button", { name: "Show the labels" }).getAttribute("aria-pressed"), "false");
      },
      "<worker-comment> link-text": async (p) => p.bench.frame.getByRole("button", { name: "Say why" }).click(),
      "<worker-comment> header": async (p) => p.bench.frame.getByRole("heading", { name: "Why?" }).waitFor(),
      "<worker-comment> placeholder": async (p) => assert.equal(await p.bench.frame.getByRole("textbox").getAttribute("placeholder"), "It is too wide."),
      "<worker-comment>": async (p) => {
        await p.bench.frame.getByText("Explain.").waitFor();
        await p.bench.frame.getByRole("textbox").fill("Far off.");
        await p.bench.frame.getByRole("button", { name: "Save" }).click();
        await p.bench.frame.getByRole("radio", { name: "B", exact: true }).click();
        assert.equal(JSON.stringify(await p.bench.submit()), '{"category":{"label":"B","workerComment":"Far off."}}');
      },
    },
  },
  "crowd-image-classifier-multi-select": {
    template: element("crowd-image-classifier-multi-select", `src="/photo.jpg" exclusion-category="{ text: 'None of the above' }"`, "<worker-comment>Explain.</worker-comment>"),
    checks: {
      ...checks(true),
      src: picture,
      "exclusion-category": exclusion,
      "<worker-comment>": async (p) => {
        await p.bench.frame.getByRole("button", { name: "Add a comment." }).click();
        await p.bench.frame.getByRole("textbox").fill("Hard to see.");
        await p.bench.frame.getByRole("button", { name: "Save" }).click();
        assert.equal(JSON.stringify(await p.bench.submit()), '{"category":{"labels":["B"],"workerComment":"Hard to see."}}');
      },
    },
  },
});
