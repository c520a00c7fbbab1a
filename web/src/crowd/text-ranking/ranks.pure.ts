import { isRecord } from "../../kit/record.js";

export interface Dimension {
  readonly name: string;
  readonly allowTie: boolean;
}

/** For each dimension the rank of each response, 1 the best and 0 not given yet. */
export type Ranks = readonly (readonly number[])[];

export interface RankingAnswer {
  readonly rankings: readonly { readonly dimension: string; readonly ranks: readonly number[] }[];
}

export function readDimensions(value: unknown): readonly Dimension[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.flatMap((entry) => {
    const { name, allowTie } = isRecord(entry) ? entry : { name: entry, allowTie: false };
    return typeof name === "string" ? [{ name, allowTie: allowTie === true || allowTie === "true" }] : [];
  });
}

/** Responses are texts, or objects that hold one. */
export function readResponses(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.map((entry) => {
    const text = isRecord(entry) ? (entry.text ?? entry.response ?? entry.content) : entry;
    return typeof text === "string" ? text : JSON.stringify(entry);
  });
}

export function noRanks(dimensions: number, responses: number): Ranks {
  return Array.from({ length: dimensions }, () => Array.from({ length: responses }, () => 0));
}

/** Gives a rank. Where there are no ties, the response that had it takes the one that comes free. */
export function give(ranks: Ranks, dimension: number, response: number, rank: number, tie: boolean): Ranks {
  return ranks.map((row, d) => {
    if (d !== dimension) return row;
    const free = row[response] ?? 0;
    return row.map((r, i) => (i === response ? rank : r === rank && !tie ? free : r));
  });
}

export function answerOf(dimensions: readonly Dimension[], ranks: Ranks): RankingAnswer {
  return { rankings: dimensions.map(({ name }, d) => ({ dimension: name, ranks: ranks[d] ?? [] })) };
}

/** The ranks of an earlier answer; null when it does not fit. */
export function readRanks(value: unknown, dimensions: readonly Dimension[], responses: number): Ranks | null {
  const list = isRecord(value) && Array.isArray(value.rankings) ? (value.rankings as unknown[]) : null;
  if (!list) return null;
  return dimensions.map(({ name }) => {
    const row = list.find((entry) => isRecord(entry) && entry.dimension === name);
    const given = isRecord(row) && Array.isArray(row.ranks) ? (row.ranks as unknown[]) : [];
    return Array.from({ length: responses }, (_, i) => {
      const rank = given[i];
      return typeof rank === "number" && Number.isInteger(rank) && rank > 0 && rank <= responses ? rank : 0;
    });
  });
}
