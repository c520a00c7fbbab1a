import { isRecord } from "../../kit/record.js";
import { CodePoints } from "../entity-annotation/offsets.pure.js";

export interface Reference {
  readonly start: number;
  readonly end: number;
}

export interface Question {
  readonly question: string;
  readonly answer: string;
  readonly tags: readonly string[];
  /** Where in the text the answer stands, in UTF-16 units. */
  readonly references: readonly Reference[];
}

export interface Limits {
  readonly questions: readonly [number, number];
  readonly question: readonly [number, number];
  readonly answer: readonly [number, number];
}

export const BLANK: Question = { question: "", answer: "", tags: [], references: [] };

export function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** What keeps a question from being handed in, or "". */
export function faultOf(question: Question, limits: Limits): string {
  for (const [what, text, [least, most]] of [["question", question.question, limits.question], ["answer", question.answer, limits.answer]] as const) {
    const words = wordsIn(text);
    if (words < least) return least === 1 ? `Please write the ${what}.` : `The ${what} needs at least ${least} words; it has ${words}.`;
    if (words > most) return `The ${what} may have at most ${most} words; it has ${words}.`;
  }
  return "";
}

/** The answer: offsets in code points, ends exclusive. */
export function answerOf(questions: readonly Question[], text: string): { questionAnswerPairs: readonly unknown[] } {
  const points = new CodePoints(text);
  return {
    questionAnswerPairs: questions.map(({ question, answer, tags, references }) => ({
      question,
      answer,
      tags,
      references: references.map(({ start, end }) => ({ startOffset: points.fromUnit(start), endOffset: points.fromUnit(end), text: text.slice(start, end) })),
    })),
  };
}

export function readQuestions(value: unknown, text: string): readonly Question[] | null {
  if (!isRecord(value) || !Array.isArray(value.questionAnswerPairs)) return null;
  const points = new CodePoints(text);
  return (value.questionAnswerPairs as unknown[]).filter((entry) => isRecord(entry)).map((entry) => ({
    question: typeof entry.question === "string" ? entry.question : "",
    answer: typeof entry.answer === "string" ? entry.answer : "",
    tags: list(entry.tags).filter((tag) => typeof tag === "string"),
    references: list(entry.references).flatMap((r) => {
      const [from, to] = isRecord(r) ? [Number(r.startOffset), Number(r.endOffset)] : [NaN, NaN];
      return Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to > from && to <= points.length ? [{ start: points.toUnit(from), end: points.toUnit(to) }] : [];
    }),
  }));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
