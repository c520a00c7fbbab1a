import { namesOf } from "../../kit/loose.js";
import { isRecord } from "../../kit/record.js";
import { loosely } from "../element/crowd-element.js";
import { CrowdImageClassifier } from "../image-classifier/crowd-image-classifier.js";

/** The key under which Augmented AI looks for the answer; templates give no name. */
const NAME = "AWS/Rekognition/DetectModerationLabels/Image/V3";

/**
 * Which moderation labels hold for a picture. Categories are strings or objects
 * with a `name`; the answer has them as they were given. With the exclusion
 * chosen the others cannot be, and the answer is an empty list.
 */
export class CrowdRekognitionDetectModerationLabels extends CrowdImageClassifier {
  protected override readonly several = true;
  protected override readonly exclusionLocks = true;

  constructor() {
    super();
    this.name = NAME;
  }

  protected override get exclusion(): string {
    return super.exclusion || "None";
  }

  protected override answerValue(): unknown {
    if (this.chosen.length === 0) return undefined;
    const given = loosely(this.categories);
    const entries: readonly unknown[] = Array.isArray(given) ? (given as unknown[]) : [];
    return { ModerationLabels: entries.filter((entry) => namesOf([entry]).some((name) => this.chosen.includes(name))) };
  }

  override restore(value: unknown): void {
    if (!isRecord(value)) return;
    const labels = value.ModerationLabels ?? value.labels;
    if (Array.isArray(labels)) super.restore({ labels: labels.length === 0 && "ModerationLabels" in value ? [this.exclusion] : namesOf(labels) });
  }
}
