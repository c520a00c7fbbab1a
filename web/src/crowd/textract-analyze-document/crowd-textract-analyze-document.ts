import { css, html, nothing, svg } from "../../kit/reactive.js";
import type { PropertyDeclaration, PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { Unreadable, looseProperty, loosely, switchProperty } from "../element/crowd-element.js";
import { ToolElement } from "../element/tool-element.js";
import { textToolLook } from "../entity-annotation/entity-annotation-look.js";
import type { Contribution } from "../form/answer.pure.js";
import { mediaReports } from "../form/media.js";
import { blocksOf, readPairs, restorePairs } from "./pairs.pure.js";
import type { BlockAnswer, Pair } from "./pairs.pure.js";

const NAME = "AWS/Textract/AnalyzeDocument/Forms/V1";

/** Keys and values that were found in a document, to be checked against its picture. */
export class CrowdTextractAnalyzeDocument extends ToolElement {
  static override properties: Record<string, PropertyDeclaration> = {
    initialValue: looseProperty("initial-value"),
    keys: looseProperty("keys"),
    blockTypes: looseProperty("block-types"),
    noKeyEdit: { ...switchProperty, attribute: "no-key-edit" },
    noGeometryEdit: { ...switchProperty, attribute: "no-geometry-edit" },
    pairs: { state: true },
    at: { state: true },
    zoom: { state: true },
    failed: { state: true },
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
      .scroller {
        flex: 1;
        min-height: 200px;
        overflow: auto;
        border: 1px solid var(--crowd-line);
        border-radius: 8px;
        background: var(--crowd-paper-sunk);
      }
      .page {
        position: relative;
      }
      .page img,
      .page svg {
        display: block;
        width: 100%;
      }
      .page svg {
        position: absolute;
        inset: 0;
        height: 100%;
      }
      polygon {
        fill: transparent;
        stroke: #1f6feb;
        stroke-width: 1.5px;
        vector-effect: non-scaling-stroke;
        cursor: pointer;
      }
      polygon.value {
        stroke: #1a7f37;
      }
      polygon.on {
        fill: rgb(255 200 0 / 0.3);
        stroke-width: 3px;
      }
      .side {
        flex-basis: 340px;
        overflow: auto;
      }
      fieldset {
        margin: 0 0 10px;
        padding: 8px 12px 12px;
        border: 1px solid var(--crowd-line);
        border-radius: 8px;
      }
      fieldset.on {
        border-color: var(--crowd-accent);
        box-shadow: inset 0 0 0 1px var(--crowd-accent);
      }
      legend {
        padding: 0 4px;
        font-weight: 650;
      }
      fieldset label {
        display: block;
        margin-top: 6px;
        font-size: 14px;
      }
      fieldset .search {
        margin: 2px 0 0;
      }
      fieldset .search[disabled] {
        opacity: 0.5;
      }
    `,
  ];

  declare initialValue: unknown;
  declare keys: unknown;
  declare blockTypes: unknown;
  declare noKeyEdit: boolean;
  declare noGeometryEdit: boolean;
  declare private pairs: readonly Pair[];
  declare private at: number;
  declare private zoom: number;
  declare private failed: boolean;

  private readonly id0 = [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("-");

  constructor() {
    super();
    this.name = NAME;
    this.initialValue = undefined;
    this.keys = undefined;
    this.blockTypes = undefined;
    this.noKeyEdit = false;
    this.noGeometryEdit = false;
    this.pairs = [];
    this.at = -1;
    this.zoom = 100;
    this.failed = false;
  }

  get value(): { blocks: readonly BlockAnswer[] } {
    return { blocks: blocksOf(this.pairs, (n) => `${this.id0}-${n}`) };
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
    this.pairs = restorePairs(this.pairs, value) ?? this.pairs;
  }

  reset(): void {
    // Documented in camel case, which HTML writes small; samples have it with dashes.
    const blocks = this.initialValue ?? this.getAttribute("initialvalue") ?? undefined;
    this.pairs = readPairs(loosely(blocks), loosely(this.keys));
    this.message = "";
  }

  override problem(): string {
    const open = this.pairs.find((pair) => pair.holds && !pair.blank && pair.value.trim() === "");
    return open ? `Please give the value of “${open.key}”, or say that it is blank${open.keyBlock ? "" : " or not found"}.` : "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!this.hasUpdated || changed.has("initialValue") || changed.has("keys")) this.reset();
    if (changed.has("src")) this.failed = false;
  }

  private edit(n: number, change: Partial<Pair>): void {
    this.at = n;
    this.pairs = this.pairs.map((pair, i) => (i === n ? { ...pair, ...change } : pair));
    this.changed();
  }

  protected override render(): unknown {
    const zoom = (by: number): void => void (this.zoom = Math.min(400, Math.max(50, this.zoom + by)));
    const page = html`
      <div class="toolbar" role="toolbar" aria-label="Page">
        <button class="tool-button" type="button" aria-label="Zoom out" title="Zoom out" @click=${() => zoom(-25)}>−</button>
        <output aria-label="Zoom">${this.zoom}%</output>
        <button class="tool-button" type="button" aria-label="Zoom in" title="Zoom in" @click=${() => zoom(25)}>+</button>
      </div>
      <div class="scroller" tabindex="0" role="region" aria-label="Document">
        ${this.failed ? html`<p class="problem" role="alert">The document could not be opened.</p>` : nothing}
        <div class="page" style="width: ${this.zoom}%">
          ${this.src === "" ? nothing : html`<img src=${this.src} alt="The document" @error=${() => this.lost()} />`}
          <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">${this.pairs.map((pair, n) => [this.outline(pair.keyBlock, "key", n), this.outline(pair.valueBlock, "value", n)])}</svg>
        </div>
      </div>
      ${this.problemLine()}
    `;
    const fault = [this.initialValue, this.keys].find((value) => value instanceof Unreadable);
    return this.layout(
      page,
      html`<h3>Keys and values <span class="total">${this.pairs.length}</span></h3>
        ${fault instanceof Unreadable ? html`<p class="problem" role="alert">The attribute ${fault === this.keys ? "keys" : "initial-value"} cannot be read: ${fault.message}</p>` : nothing}
        ${this.pairs.map((pair, n) => this.card(pair, n))}`,
    );
  }

  private lost(): void {
    this.failed = true;
    mediaReports.report(this.src);
  }

  private outline(block: Pair["keyBlock"], kind: string, n: number): unknown {
    if (!block || block.outline.length === 0) return nothing;
    return svg`<polygon class="${kind} ${n === this.at ? "on" : ""}" points=${block.outline.map((p) => p.join()).join(" ")} @click=${() => this.pick(n)}></polygon>`;
  }

  /** From the document to the card. */
  private pick(n: number): void {
    this.at = n;
    this.renderRoot.querySelectorAll<HTMLElement>("fieldset")[n]?.scrollIntoView({ block: "nearest" });
  }

  private card(pair: Pair, n: number): TemplateResult {
    const found = pair.keyBlock !== null;
    const words = (event: Event): string => {
      event.stopPropagation();
      return (event.target as HTMLInputElement).value;
    };
    const tick = (text: string, on: boolean, change: (on: boolean) => Partial<Pair>, disabled = false): TemplateResult => html`
      <label><input type="checkbox" .checked=${on} ?disabled=${disabled} @input=${(e: Event) => e.stopPropagation()} @change=${(e: Event) => this.edit(n, change((e.target as HTMLInputElement).checked))} /> ${text}</label>
    `;
    const key = found && !this.noKeyEdit ? html`<label>Key <input class="search" type="text" .value=${pair.key} @input=${(e: Event) => this.edit(n, { key: words(e) })} /></label>` : nothing;
    return html`
      <fieldset class=${n === this.at ? "on" : ""} ?disabled=${this.disabled} @focusin=${() => (this.at = n)} @change=${(e: Event) => e.stopPropagation()}>
        <legend>${pair.key}</legend>
        ${pair.aliases.length > 0 ? html`<p class="quiet">Also: ${pair.aliases.join(", ")}</p>` : nothing} ${key}
        <label>Value <input class="search" type="text" .value=${pair.blank ? "" : pair.value} ?disabled=${pair.blank || !pair.holds} @input=${(e: Event) => this.edit(n, { value: words(e) })} /></label>
        ${tick("Value is blank", pair.blank, (blank) => ({ blank }), !pair.holds)}
        ${found ? tick("No, this is not a key with its value", !pair.holds, (no) => ({ holds: !no })) : tick("Key not found", !pair.holds, (no) => ({ holds: !no }))}
      </fieldset>
    `;
  }
}
