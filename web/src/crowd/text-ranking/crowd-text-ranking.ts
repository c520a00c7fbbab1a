import { css, html, nothing } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { Unreadable, looseProperty, loosely } from "../element/crowd-element.js";
import { ToolElement } from "../element/tool-element.js";
import { textToolLook } from "../entity-annotation/entity-annotation-look.js";
import type { Contribution } from "../form/answer.pure.js";
import { answerOf, give, noRanks, readDimensions, readRanks, readResponses } from "./ranks.pure.js";
import type { Dimension, RankingAnswer, Ranks } from "./ranks.pure.js";

/** Ranks the responses to a prompt, once for each dimension; 1 is the best. */
export class CrowdTextRanking extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    text: { type: String },
    responses: looseProperty("responses"),
    ordinalRankingDimensions: looseProperty("ordinal-ranking-dimensions"),
    ranks: { state: true },
  };

  static override styles = [
    ...textToolLook,
    css`
      .prompt,
      .response {
        margin: 0 0 12px;
        padding: 14px 18px;
        border: 1px solid var(--crowd-line);
        border-radius: 8px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .prompt {
        background: var(--crowd-paper-soft);
      }
      .response h3 {
        margin: 0 0 6px;
        font-size: 13px;
        color: var(--crowd-ink-soft);
      }
      fieldset {
        margin: 0 0 18px;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0 0 2px;
        font-weight: 650;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 4px;
        margin-top: 4px;
      }
      .row > span {
        flex: 1;
        font-size: 14px;
      }
      .row label {
        position: relative;
        min-width: 32px;
        height: 32px;
        border: 1px solid var(--crowd-line-strong);
        border-radius: var(--crowd-radius);
        line-height: 30px;
        text-align: center;
        cursor: pointer;
      }
      .row input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      .row label:has(:checked) {
        background: var(--crowd-accent);
        border-color: var(--crowd-accent);
        color: var(--crowd-on-accent);
        font-weight: 650;
      }
      .row label:has(:focus-visible) {
        outline: 2px solid var(--crowd-accent);
        outline-offset: 2px;
      }
    `,
  ];

  declare text: string;
  declare responses: unknown;
  declare ordinalRankingDimensions: unknown;
  declare private ranks: Ranks;
  private dimensions: readonly Dimension[] = [];
  private texts: readonly string[] = [];

  constructor() {
    super();
    this.text = "";
    this.responses = [];
    this.ordinalRankingDimensions = [];
    this.ranks = [];
  }

  get value(): RankingAnswer {
    return answerOf(this.dimensions, this.ranks);
  }

  set value(value: unknown) {
    this.restore(value);
  }

  get _submittableValue(): RankingAnswer {
    return this.value;
  }

  protected contribute(): readonly Contribution[] {
    return [{ name: this.name, value: this.value }];
  }

  restore(value: unknown): void {
    this.ranks = readRanks(value, this.dimensions, this.texts.length) ?? this.ranks;
  }

  reset(): void {
    this.ranks = noRanks(this.dimensions.length, this.texts.length);
    this.message = "";
  }

  override problem(): string {
    const open = this.dimensions.find((_, d) => this.ranks[d]?.includes(0));
    return open ? `Please rank every response by ${open.name}.` : "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("responses") && !changed.has("ordinalRankingDimensions")) return;
    this.dimensions = readDimensions(loosely(this.ordinalRankingDimensions));
    this.texts = readResponses(loosely(this.responses));
    this.reset();
  }

  private choose(event: Event, dimension: number, response: number, rank: number): void {
    event.stopPropagation();
    this.ranks = give(this.ranks, dimension, response, rank, this.dimensions[dimension]?.allowTie ?? false);
    this.changed();
  }

  protected override render(): unknown {
    const faults = [["responses", this.responses], ["ordinal-ranking-dimensions", this.ordinalRankingDimensions]] as const;
    return this.layout(
      html`
        ${this.text === "" ? nothing : html`<div class="prompt" dir="auto">${this.text}</div>`}
        ${this.texts.map((text, i) => html`<article class="response" dir="auto"><h3>Response ${i + 1}</h3>${text}</article>`)}
      `,
      html`
        ${faults.map(([name, value]) => (value instanceof Unreadable ? html`<p class="problem" role="alert">The attribute ${name} cannot be read: ${value.message}</p>` : nothing))}
        ${this.dimensions.map((dimension, d) => this.scale(dimension, d))} ${this.problemLine()}
      `,
    );
  }

  private scale({ name, allowTie }: Dimension, d: number): TemplateResult {
    return html`
      <fieldset ?disabled=${this.disabled}>
        <legend>${name}</legend>
        <p class="quiet">1 is the best. ${allowTie ? "Ranks may be given twice." : "Each rank is given once."}</p>
        ${this.texts.map(
          (_, i) => html`
            <div class="row" role="radiogroup" aria-label="${name}, response ${i + 1}">
              <span aria-hidden="true">Response ${i + 1}</span>
              ${this.texts.map(
                (_text, r) => html`<label><input type="radio" name="${d}-${i}" aria-label="Rank ${r + 1}" .checked=${this.ranks[d]?.[i] === r + 1} @input=${(e: Event) => e.stopPropagation()} @change=${(e: Event) => this.choose(e, d, i, r + 1)} />${r + 1}</label>`,
              )}
            </div>
          `,
        )}
      </fieldset>
    `;
  }
}
