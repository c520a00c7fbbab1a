import { html, nothing } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import type { Labels } from "../../kit/labels.js";
import { icon } from "../button/icons.js";
import { slider } from "./toolbar.js";

export interface LabelPanelOptions {
  readonly choose: (label: string) => void;
  /** How many things have the label, or another measure of it; 0 is not shown. */
  readonly countOf: (label: string) => number | string;
  /** What is counted: "boxes". */
  readonly noun: string;
}

/** The labels: one is in hand; each can be hidden, and the one in hand made fainter. */
export function labelPanel(labels: Labels, options: LabelPanelOptions): TemplateResult {
  return html`
    <section class="labels" aria-labelledby="labels-title">
      <h3 id="labels-title">Labels</h3>
      ${labels.names.length === 0 ? html`<p class="quiet">No labels yet.</p>` : nothing}
      <ul role="radiogroup" aria-labelledby="labels-title">
        ${labels.names.map((label, i) => row(labels, label, i, options))}
      </ul>
    </section>
  `;
}

function row(labels: Labels, label: string, i: number, { choose, countOf, noun }: LabelPanelOptions): TemplateResult {
  const hidden = labels.isHidden(label);
  const active = label === labels.active;
  const count = countOf(label);
  return html`
    <li role="none" class="label ${active ? "active" : ""} ${hidden ? "unseen" : ""}" style="--colour: ${labels.colourOf(label)}">
      <button class="choose" type="button" role="radio" aria-checked=${active} @click=${() => choose(label)}>
        <span class="swatch"></span><span class="name">${label}</span>
        <span class="count" aria-label=${`${count} ${noun}`}>${count || ""}</span>
        ${i < 9 ? html`<kbd aria-label=${`Key ${i + 1}`}>${i + 1}</kbd>` : nothing}
      </button>
      <button class="eye" type="button" aria-pressed=${hidden} aria-label=${`Hide ${label}`} title=${hidden ? "Show" : "Hide"} @click=${() => labels.setHidden(label, !hidden)}>
        ${icon(hidden ? "visibility-off" : "visibility")}
      </button>
      ${active && !hidden ? slider("Opacity", Math.round(labels.opacityOf(label) * 100), [5, 100, 5], (n) => labels.setOpacity(label, n / 100)) : nothing}
    </li>
  `;
}
