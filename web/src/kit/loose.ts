import parseJSON5 from "json5/lib/parse.js";
import { isRecord } from "./record.js";

// Attribute values of worker task templates are JavaScript literals, not JSON:
// single quotes, bare keys, trailing commas, comments. They are parsed, never
// evaluated: a template's data may come from strangers.

export type Loose = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

const MAX_LENGTH = 16 * 1024 * 1024;

/** Reads a loose literal. Text that still holds HTML entities (`&quot;`) is decoded once. */
export function parseLoose(text: string): Loose {
  if (text.length > MAX_LENGTH) return { ok: false, message: `longer than ${MAX_LENGTH} characters` };
  const first = attempt(text);
  if (first.ok || !text.includes("&")) return first;
  const second = attempt(decodeEntities(text));
  return second.ok ? second : first;
}

function attempt(text: string): Loose {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // Not plain JSON, which is the quick way for large initial values.
  }
  try {
    return { ok: true, value: parseJSON5(text) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: "&", lt: "<", gt: ">", "#34": '"', "#39": "'", "#x27": "'", "#x22": '"' };

function decodeEntities(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name.toLowerCase()] ?? whole);
}

/** A list of names: strings, numbers, or objects that carry a `label`, `text` or `name`. Others are left out, as are repeats. */
export function namesOf(value: unknown): string[] {
  const names: string[] = [];
  for (const entry of Array.isArray(value) ? (value as unknown[]) : []) {
    const name = nameOf(entry);
    if (name !== null && !names.includes(name)) names.push(name);
  }
  return names;
}

function nameOf(entry: unknown): string | null {
  if (typeof entry === "string") return entry;
  if (typeof entry === "number" || typeof entry === "boolean") return String(entry);
  if (!isRecord(entry)) return null;
  for (const key of ["label", "text", "name", "displayName"]) {
    const value = entry[key];
    if (typeof value === "string") return value;
  }
  return null;
}
