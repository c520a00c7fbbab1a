import { defineElement } from "./element/crowd-element.js";
import { CrowdEntityAnnotation, defineEntityAnnotation } from "./entity-annotation/crowd-entity-annotation.js";
import type { CrowdForm } from "./form/crowd-form.js";
import { CrowdQuestionAnswerGeneration } from "./question-answer-generation/crowd-question-answer-generation.js";
import { CrowdRekognitionDetectModerationLabels } from "./rekognition-detect-moderation-labels/crowd-rekognition-detect-moderation-labels.js";
import { CrowdTextRanking } from "./text-ranking/crowd-text-ranking.js";
import { CrowdTextractAnalyzeDocument } from "./textract-analyze-document/crowd-textract-analyze-document.js";

/** The elements whose subject is a text or a document, and those of Augmented AI's own reviews. */
export function defineTextTools(): void {
  defineEntityAnnotation();
  defineElement("crowd-text-ranking", CrowdTextRanking);
  defineElement("crowd-question-answer-generation", CrowdQuestionAnswerGeneration);
  defineElement("crowd-rekognition-detect-moderation-labels", CrowdRekognitionDetectModerationLabels);
  defineElement("crowd-textract-analyze-document", CrowdTextractAnalyzeDocument);
}

/** The form that an element standing alone brings with it. */
export function formWithin(): CrowdForm | null {
  return [...document.querySelectorAll("*")].find((e): e is CrowdEntityAnnotation => e instanceof CrowdEntityAnnotation)?.innerForm ?? null;
}
