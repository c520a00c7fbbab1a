import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, TemplateResult } from "../../kit/reactive.js";
import { labelColour } from "../../kit/colours.js";
import { namesOf } from "../../kit/loose.js";
import { Unreadable, looseProperty, loosely, switchProperty } from "../element/crowd-element.js";
import { ToolElement } from "../element/tool-element.js";
import { AnnotatedText } from "../entity-annotation/annotated-text.js";
import { textToolLook } from "../entity-annotation/entity-annotation-look.js";
import type { Mark } from "../entity-annotation/layout.pure.js";
import type { Contribution } from "../form/answer.pure.js";
import { BLANK, answerOf, faultOf, readQuestions } from "./questions.pure.js";
import type { Limits, Question } from "./questions.pure.js";

const number = (attribute: string): PropertyDeclaration => ({ attribute, type: Number });

/** Questions about a text with their answers, tags, and the places in the text that they rest on. */
export class CrowdQuestionAnswerGeneration extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    text: { type: String },
    minQuestions: number("min-questions"),
    maxQuestions: number("max-questions"),
    questionMinWords: number("question-min-words"),
    questionMaxWords: number("question-max-words"),
    answerMinWords: number("answer-min-words"),
    answerMaxWords: number("answer-max-words"),
    questionTags: looseProperty("question-tags"),
    allowCustomQuestionTags: { ...switchProperty, attribute: "allow-custom-question-tags" },
    questions: { state: true },
    at: { state: true },
    checked: { state: true },
  };

  static override styles = [
    ...textToolLook,
    css`
      .tool {
        height: max(420px, calc(100vh - var(--crowd-footer, 0px)));
      }
      .target {
        display: flex;
        flex-direction: column;
      }
      fiducial-annotated-text {
        flex: 1 0 180px;
      }
      .side {
        flex-basis: 380px;
        overflow: auto;
      }
      fieldset {
        margin: 0 0 12px;
        padding: 8px 12px 12px;
        border: 1px solid var(--crowd-line);
        border-radius: 8px;
      }
      fieldset.on {
        border-color: var(--colour);
        box-shadow: inset 3px 0 var(--colour);
      }
      fieldset > label {
        display: block;
        margin-bottom: 6px;
        font-size: 14px;
      }
      textarea.search {
        resize: vertical;
        margin: 0;
      }
      .tags {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
        font-size: 14px;
      }
      @container (max-width: 820px) {
        .tool {
          height: auto;
        }
        fiducial-annotated-text {
          flex: none;
          height: 40vh;
        }
      }
    `,
  ];

  declare text: string;
  declare minQuestions: number;
  declare maxQuestions: number;
  declare questionMinWords: number;
  declare questionMaxWords: number;
  declare answerMinWords: number;
  declare answerMaxWords: number;
  declare questionTags: unknown;
  declare allowCustomQuestionTags: boolean;
  declare private questions: readonly Question[];
  declare private at: number;
  declare private checked: boolean;

  constructor() {
    super();
    this.text = "";
    this.minQuestions = this.questionMinWords = this.answerMinWords = 1;
    this.maxQuestions = this.questionMaxWords = this.answerMaxWords = Infinity;
    this.questionTags = [];
    this.allowCustomQuestionTags = false;
    this.questions = [BLANK];
    this.at = 0;
    this.checked = false;
  }

  get value(): unknown {
    return answerOf(this.questions, this.text);
  }

  set value(value: unknown) {
    this.restore(value);
  }

  get _submittableValue(): unknown {
    return this.value;
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.value }];
  }

  restore(value: unknown): void {
    this.questions = readQuestions(value, this.text) ?? this.questions;
    this.at = 0;
  }

  reset(): void {
    this.questions = [BLANK];
    this.at = 0;
    this.message = "";
    this.checked = false;
  }

  private get limits(): Limits {
    return { questions: [this.minQuestions, this.maxQuestions], question: [this.questionMinWords, this.questionMaxWords], answer: [this.answerMinWords, this.answerMaxWords] };
  }

  override problem(): string {
    const count = this.questions.length;
    this.checked = true;
    if (count < this.minQuestions) return `Please write at least ${this.minQuestions} questions; there are ${count}.`;
    if (count > this.maxQuestions) return `There may be at most ${this.maxQuestions} questions; there are ${count}.`;
    const wrong = this.questions.findIndex((q) => faultOf(q, this.limits) !== "");
    return wrong < 0 ? "" : `Question ${wrong + 1} is not complete.`;
  }

  private get pane(): AnnotatedText | null {
    return this.renderRoot.querySelector<AnnotatedText>("fiducial-annotated-text");
  }

  private edit(n: number, change: Partial<Question>): void {
    this.at = n;
    this.questions = this.questions.map((q, i) => (i === n ? { ...q, ...change } : q));
    this.changed();
  }

  private add(): void {
    this.questions = [...this.questions, BLANK];
    this.at = this.questions.length - 1;
    this.changed();
    void this.updateComplete.then(() => this.renderRoot.querySelectorAll<HTMLElement>("fieldset")[this.at]?.querySelector("textarea")?.focus());
  }

  private drop(n: number): void {
    this.questions = this.questions.filter((_, i) => i !== n);
    this.at = Math.max(0, Math.min(this.at, this.questions.length - 1));
    this.changed();
  }

  private refer(n: number): void {
    const range = this.pane?.range;
    const { references } = this.questions[n] ?? BLANK;
    if (!range || references.some((r) => r.start === range.start && r.end === range.end)) return;
    this.edit(n, { references: [...references, range].sort((a, b) => a.start - b.start) });
    this.pane?.setRange(range.end, range.end);
  }

  private marks(): readonly Mark[] {
    return this.questions.flatMap((q, n) => q.references.map((r, i) => ({ id: n * 1000 + i, start: r.start, end: r.end, colour: labelColour(n), tag: String(n + 1), title: `Question ${n + 1}` })));
  }

  private forget(id: number): void {
    const n = Math.floor(id / 1000);
    this.edit(n, { references: (this.questions[n] ?? BLANK).references.filter((_, i) => i !== id % 1000) });
  }

  protected override render(): unknown {
    const fault = this.questionTags instanceof Unreadable ? this.questionTags.message : "";
    const full = this.questions.length >= this.maxQuestions;
    return this.layout(
      html`<fiducial-annotated-text
        .text=${this.text}
        .marks=${this.marks()}
        .label=${"Text. Arrow keys move, with Shift they select what a question rests on."}
        .onRange=${() => this.requestUpdate()}
        .onPick=${(id: number | null) => id !== null && (this.at = Math.floor(id / 1000))}
        .onRemove=${(id: number) => this.forget(id)}
      ></fiducial-annotated-text>`,
      html`
        ${fault === "" ? nothing : html`<p class="problem" role="alert">The attribute question-tags cannot be read: ${fault}</p>`}
        ${this.questions.map((q, n) => this.card(q, n))}
        <button class="button" type="button" ?disabled=${full} @click=${() => this.add()}>Add a question</button>
        ${full ? html`<p class="quiet">No more than ${this.maxQuestions}.</p>` : nothing} ${this.problemLine()}
      `,
    );
  }

  private card(q: Question, n: number): TemplateResult {
    const tags = [...new Set([...namesOf(loosely(this.questionTags)), ...q.tags])];
    const toggle = (tag: string, on: boolean): void => this.edit(n, { tags: on ? [...q.tags, tag] : q.tags.filter((t) => t !== tag) });
    const field = (label: string, value: string, set: (value: string) => void, rows: number): TemplateResult => html`
      <label>${label}<textarea class="search" rows=${rows} .value=${value} @input=${(e: Event) => (e.stopPropagation(), set((e.target as HTMLTextAreaElement).value))}></textarea></label>
    `;
    const fault = this.checked ? faultOf(q, this.limits) : "";
    return html`
      <fieldset class=${n === this.at ? "on" : ""} style="--colour: ${labelColour(n)}" ?disabled=${this.disabled} @focusin=${() => (this.at = n)} @change=${(e: Event) => e.stopPropagation()}>
        <legend>Question ${n + 1}</legend>
        ${field("Question", q.question, (question) => this.edit(n, { question }), 2)} ${field("Answer", q.answer, (answer) => this.edit(n, { answer }), 3)}
        <div class="tags" role="group" aria-label="Tags">
          ${tags.map((tag) => html`<label><input type="checkbox" .checked=${q.tags.includes(tag)} @input=${(e: Event) => e.stopPropagation()} @change=${(e: Event) => toggle(tag, (e.target as HTMLInputElement).checked)} /> ${tag}</label>`)}
        </div>
        ${this.allowCustomQuestionTags ? html`<label>Another tag <input class="search" type="search" @input=${(e: Event) => e.stopPropagation()} @change=${(e: Event) => this.ownTag(e, q, n)} /></label>` : nothing}
        <button class="link" type="button" ?disabled=${!this.pane?.range} @click=${() => this.refer(n)}>Refer to the selected text</button> <span class="quiet">${q.references.length || ""}</span>
        <button class="link" type="button" ?disabled=${this.questions.length <= 1} @click=${() => this.drop(n)}>Remove</button>
        <p class="problem">${fault}</p>
      </fieldset>
    `;
  }

  private ownTag(event: Event, q: Question, n: number): void {
    const input = event.target as HTMLInputElement;
    const tag = input.value.trim();
    input.value = "";
    if (tag !== "" && !q.tags.includes(tag)) this.edit(n, { tags: [...q.tags, tag] });
  }
}
