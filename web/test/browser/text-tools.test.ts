import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Bench, Site, openBrowser } from "./harness.js";
import type { Opened } from "./harness.js";
import { png } from "./pictures.js";

const MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3";
const FORMS = "AWS/Textract/AnalyzeDocument/Forms/V1";

function attribute(value: unknown): string {
  return JSON.stringify(value).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
}

void describe("text ranking, questions and answers, and Augmented AI's reviews", () => {
  let site: Site;
  let browser: Opened;
  let bench: Bench;

  before(async () => {
    site = await Site.start();
    browser = await openBrowser();
    const picture = png(200, 260);
    site.handlers.set("/p.png", (_q, response) => void response.writeHead(200, { "Content-Type": "image/png", "Access-Control-Allow-Origin": "*" }).end(picture));
  });
  afterEach(async () => {
    await bench.close();
    assert.deepEqual(bench.errors, [], "script errors");
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });

  async function open(element: string, draft: unknown = null): Promise<void> {
    bench = await Bench.open(site, browser.context, `<crowd-form>${element}</crowd-form>`, { draft });
    await bench.page.screenshot();
  }

  const refused = async (words: string | RegExp): Promise<void> => {
    await bench.frame.getByRole("button", { name: "Submit" }).click();
    await bench.frame.getByText(words).first().waitFor();
    assert.deepEqual(await bench.said("submit"), []);
  };

  // crowd-rekognition-detect-moderation-labels

  const moderation = (categories: string, more = ""): string =>
    `<crowd-rekognition-detect-moderation-labels src="/p.png" header="Which apply?" categories="${categories}" ${more}><short-instructions>Look.</short-instructions></crowd-rekognition-detect-moderation-labels>`;

  test("moderation labels: objects come back whole, under the documented name", async () => {
    await open(moderation(`[{ name: 'Gore', parentName: 'Violence', },{ name: 'Smoking', parentName: 'Tobacco' },{ name: 'Corpses', parentName: 'Violence' },]`));
    await bench.frame.getByRole("heading", { name: "Which apply?" }).waitFor();
    await bench.frame.getByText("Look.").waitFor();
    await bench.frame.getByText("Corpses").click();
    await bench.frame.getByText("Gore").click();
    assert.equal(JSON.stringify(await bench.submit()), JSON.stringify({ [MODERATION]: { ModerationLabels: [{ name: "Gore", parentName: "Violence" }, { name: "Corpses", parentName: "Violence" }] } }));
  });

  test("moderation labels: strings; the exclusion locks the others and answers an empty list", async () => {
    await open(moderation("['Gore', 'Smoking']", `exclusion-category="{ text: 'Nothing at all' }"`));
    await bench.frame.getByText("Smoking").click();
    assert.deepEqual(await bench.submit(), { [MODERATION]: { ModerationLabels: ["Smoking"] } });
    await bench.post({ type: "rejected", message: "" });
    await bench.frame.getByText("Nothing at all").click();
    assert.equal(await bench.frame.getByRole("checkbox", { name: "Gore" }).isDisabled(), true);
    assert.deepEqual(await bench.submit(), { [MODERATION]: { ModerationLabels: [] } });
    await bench.post({ type: "rejected", message: "" });
    await bench.frame.getByText("Nothing at all").click();
    await bench.frame.getByText("Gore").click();
    assert.deepEqual(await bench.submit(), { [MODERATION]: { ModerationLabels: ["Gore"] } });
  });

  test("moderation labels: there is a None without the attribute; a draft comes back", async () => {
    await open(moderation("['Gore']"), { [MODERATION]: { ModerationLabels: [] } });
    await bench.frame.waitForFunction(`document.querySelector("crowd-rekognition-detect-moderation-labels").shadowRoot.querySelectorAll(".category.on").length === 1`);
    assert.deepEqual(await bench.submit(), { [MODERATION]: { ModerationLabels: [] } });
  });

  // crowd-textract-analyze-document

  const box = (left: number, top: number): unknown => ({ boundingBox: { left, top, width: 0.2, height: 0.05 } });
  const BLOCKS = [
    { blockType: "KEY_VALUE_SET", confidence: 38.4, id: "k1", entityTypes: ["KEY"], text: "Name:", geometry: box(0.1, 0.1), relationships: [{ type: "CHILD", ids: ["w1"] }, { type: "VALUE", ids: ["v1"] }] },
    { blockType: "KEY_VALUE_SET", confidence: 38.4, id: "v1", entityTypes: ["VALUE"], geometry: { polygon: [{ x: 0.4, y: 0.1 }, { x: 0.6, y: 0.1 }, { x: 0.6, y: 0.2 }] }, relationships: [{ type: "CHILD", ids: ["w2", "w3"] }] },
    { blockType: "WORD", id: "w2", text: "Ada" },
    { blockType: "WORD", id: "w3", text: "Lovelace" },
    { blockType: "KEY_VALUE_SET", id: "k2", entityTypes: ["KEY"], text: "Page", relationships: [{ type: "VALUE", ids: ["v2"] }] },
    { blockType: "KEY_VALUE_SET", id: "v2", entityTypes: ["VALUE"], text: "1" },
  ];
  const KEYS = `[{ importantFormKey: 'Name', importantFormKeyAliases: ['name'] }, { importantFormKey: 'Address', importantFormKeyAliases: ['Addr.', 'Add.',] }, { importantFormKey: 'Phone' },]`;
  const textract = (more = "no-key-edit no-geometry-edit", blocks = "initial-value"): string =>
    `<crowd-textract-analyze-document src="/p.png" header="Check them" ${blocks}="${attribute(BLOCKS)}" keys="${KEYS}" block-types="['KEY_VALUE_SET']" ${more}><short-instructions>Short.</short-instructions><full-instructions>Long.</full-instructions></crowd-textract-analyze-document>`;

  test("documents: values corrected, a wrong pair left out, important keys found or not; blocks as documented", async () => {
    await open(textract());
    const { frame } = bench;
    await frame.getByRole("heading", { name: "Check them" }).waitFor();
    assert.equal(await frame.locator("fieldset").count(), 4, "an alias of a detected key is that key");
    assert.equal(await frame.locator("fieldset").first().getByLabel("Value", { exact: true }).inputValue(), "Ada Lovelace");
    assert.equal(await frame.getByLabel("Key", { exact: true }).count(), 0);
    await refused(/give the value of “Address”/);
    await frame.getByRole("group", { name: "Name:" }).getByLabel("Value", { exact: true }).fill("Ada King");
    await frame.getByRole("group", { name: "Page" }).getByLabel(/No, this/).check();
    await frame.getByRole("group", { name: "Address" }).getByLabel("Value is blank").check();
    await frame.getByRole("group", { name: "Phone" }).getByLabel("Key not found").check();
    const answer = await bench.submit();
    const blocks = answer[FORMS].blocks as { id: string; text: string }[];
    assert.deepEqual(blocks.map((b) => b.text), ["Name:", "Ada King", "Address", ""]);
    assert.equal(JSON.stringify(blocks[0]), JSON.stringify({ blockType: "KEY_VALUE_SET", id: "k1", relationships: [{ type: "CHILD", ids: ["w1"] }, { type: "VALUE", ids: ["v1"] }], entityTypes: ["KEY"], text: "Name:" }));
  });

  test("documents: without no-key-edit keys can be corrected; initialValue as documented; a click on the page finds the card", async () => {
    await open(textract("", "initialValue"));
    const { frame } = bench;
    await frame.getByRole("group", { name: "Name:" }).getByLabel("Key", { exact: true }).fill("Full name");
    for (const key of ["Address", "Phone"]) await frame.getByRole("group", { name: key }).getByLabel("Value", { exact: true }).fill("x");
    assert.deepEqual(((await bench.submit())[FORMS].blocks as { text: string }[]).map((b) => b.text), ["Full name", "Ada Lovelace", "Page", "1", "Address", "x", "Phone", "x"]);
    assert.equal(await frame.locator("polygon").count(), 2);
    await frame.locator("polygon.key").dispatchEvent("click");
    await frame.waitForFunction(`document.querySelector("crowd-textract-analyze-document").shadowRoot.querySelector("fieldset").className === "on"`);
  });

  test("documents: a draft comes back; a picture that is not there is told", async () => {
    await open(textract().replace("/p.png", "/gone.png"), { [FORMS]: { blocks: [{ blockType: "KEY_VALUE_SET", id: "k2", entityTypes: ["KEY"], text: "Page", relationships: [{ type: "VALUE", ids: ["v2"] }] }, { blockType: "KEY_VALUE_SET", id: "v2", entityTypes: ["VALUE"], text: "7" }] } });
    await bench.waitFor("media-error");
    assert.deepEqual(((await bench.submit())[FORMS].blocks as { text: string }[]).map((b) => b.text), ["Page", "7"]);
  });

  // crowd-text-ranking

  const ranking = (more = ""): string =>
    `<crowd-text-ranking name="ranked" text="Explain mirrors." ordinal-ranking-dimensions='[{"name":"Clarity","allowTie":true},{"name":"Care","allowTie":false}]' responses='["One.","Two.","Three."]' ${more}><short-instructions>Rank.</short-instructions></crowd-text-ranking>`;
  const rank = (dimension: string, response: number, n: number): Promise<void> => bench.frame.getByRole("radiogroup", { name: `${dimension}, response ${response}` }).getByRole("radio", { name: `Rank ${n}` }).click();

  test("ranking: one rank for each response and dimension; ties only where they may be", async () => {
    await open(ranking());
    await bench.frame.getByText("Explain mirrors.").waitFor();
    await bench.frame.getByText("Three.").waitFor();
    for (const response of [1, 2, 3]) await rank("Clarity", response, 1);
    await refused("Please rank every response by Care.");
    await rank("Care", 1, 1);
    await rank("Care", 2, 2);
    await rank("Care", 3, 3);
    await rank("Care", 3, 1);
    assert.deepEqual(await bench.submit(), { ranked: { rankings: [{ dimension: "Clarity", ranks: [1, 1, 1] }, { dimension: "Care", ranks: [3, 2, 1] }] } });
  });

  test("ranking: a draft comes back, as far as it fits; by keyboard", async () => {
    await open(ranking(), { ranked: { rankings: [{ dimension: "Clarity", ranks: [2, 3, 1] }, { dimension: "Care", ranks: [9, "x"] }] } });
    await bench.frame.getByRole("radiogroup", { name: "Clarity, response 1" }).getByRole("radio", { name: "Rank 2" }).focus();
    await bench.page.keyboard.press("ArrowRight");
    for (const response of [1, 2, 3]) await rank("Care", response, response);
    assert.deepEqual((await bench.submit()).ranked.rankings, [{ dimension: "Clarity", ranks: [3, 3, 1] }, { dimension: "Care", ranks: [1, 2, 3] }]);
  });

  // crowd-question-answer-generation

  const asking = (more = ""): string =>
    `<crowd-question-answer-generation name="qa" text="😀 The river is long." min-questions="2" max-questions="3" question-min-words="2" question-max-words="4" answer-min-words=1 answer-max-words=2 question-tags='["What", "Why"]' ${more}></crowd-question-answer-generation>`;

  test("questions: limits on their number and words, tags, references in code points", async () => {
    await open(asking(`allow-custom-question-tags="true"`));
    const { frame } = bench;
    const card = (n: number): ReturnType<typeof frame.getByRole> => frame.getByRole("group", { name: `Question ${n}` });
    await refused("Please write at least 2 questions; there are 1.");
    await frame.getByRole("button", { name: "Add a question" }).click();
    await card(1).getByLabel("Question", { exact: true }).fill("What?");
    await refused("The question needs at least 2 words; it has 1.");
    await card(1).getByLabel("Question", { exact: true }).fill("What is long?");
    await card(1).getByLabel("Answer", { exact: true }).fill("The long river");
    await refused("The answer may have at most 2 words; it has 3.");
    await card(1).getByLabel("Answer", { exact: true }).fill("The river");
    await card(1).getByLabel("What").check();
    await card(1).getByLabel("Another tag").fill("Which");
    await card(1).getByLabel("Another tag").press("Enter");
    await frame.evaluate(`document.querySelector("crowd-question-answer-generation").shadowRoot.querySelector("fiducial-annotated-text").setRange(3, 12)`);
    await card(1).getByRole("button", { name: "Refer to the selected text" }).click();
    await card(2).getByLabel("Question", { exact: true }).fill("Why so?");
    await card(2).getByLabel("Answer", { exact: true }).fill("Rain");
    await frame.getByRole("button", { name: "Add a question" }).click();
    assert.equal(await frame.getByRole("button", { name: "Add a question" }).isDisabled(), true);
    await card(3).getByRole("button", { name: "Remove" }).click();
    assert.deepEqual(await bench.submit(), {
      qa: {
        questionAnswerPairs: [
          { question: "What is long?", answer: "The river", tags: ["What", "Which"], references: [{ startOffset: 2, endOffset: 11, text: "The river" }] },
          { question: "Why so?", answer: "Rain", tags: [], references: [] },
        ],
      },
    });
  });

  test("questions: no own tags without the attribute; a draft comes back", async () => {
    const draft = { questionAnswerPairs: [{ question: "a b", answer: "c", tags: ["Why"], references: [{ startOffset: 2, endOffset: 5, text: "The" }] }, { question: "d e", answer: "f", tags: [], references: [] }] };
    await open(asking(), { qa: draft });
    assert.equal(await bench.frame.getByLabel("Another tag").count(), 0);
    assert.deepEqual(await bench.submit(), { qa: draft });
  });
});
