import { css, html } from "../../kit/reactive.js";
import { defineElement } from "../element/crowd-element.js";
import { toolLook } from "../element/tool-element.js";
import { CategoryField, categoryLook, labelAnswer } from "./category-field.js";

const targetLook = css`
  .classified {
    padding: 16px 20px;
    border: 1px solid var(--crowd-line);
    border-radius: 8px;
    overflow-wrap: anywhere;
    font-size: 16px;
  }
`;

/** One category for a text, or for whatever the author puts into `classification-target`. */
export class CrowdClassifier extends CategoryField {
  static override styles = [...toolLook, categoryLook, targetLook];

  protected override readonly several: boolean = false;

  protected answerValue(): unknown {
    const label = this.answerLabels[0];
    return label === undefined ? undefined : labelAnswer(label, "");
  }

  protected override render(): unknown {
    return this.layout(html`<div class="classified"><slot name="classification-target"></slot><slot></slot></div>`, this.picker());
  }
}

/** Any number of categories, or the one that excludes them all. */
export class CrowdClassifierMultiSelect extends CrowdClassifier {
  protected override readonly several = true;

  protected override answerValue(): unknown {
    const labels = this.answerLabels;
    return labels.length === 0 ? undefined : { labels };
  }
}

export function defineClassifier(): void {
  defineElement("crowd-classifier", CrowdClassifier);
  defineElement("crowd-classifier-multi-select", CrowdClassifierMultiSelect);
}
