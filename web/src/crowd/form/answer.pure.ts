// The answer of a task: one object, keyed by the names of its fields, as Ground
// Truth stores it in answerContent.

export type Answer = Record<string, unknown>;

/** What one field gives: a value of its own, or one flag among those of its name. */
export type Contribution =
  | { readonly name: string; readonly value: unknown }
  | { readonly name: string; readonly flag: string; readonly on: boolean };

/**
 * Puts the contributions of all fields, given in document order, into one answer.
 * Flags of one name are merged into one object; of two fields with one name the
 * later wins, unless it is empty and the earlier is not. Names and flags stand in
 * alphabetical order, as in Ground Truth's answers.
 */
export function mergeAnswer(contributions: Iterable<Contribution>): Answer {
  const answer: Answer = {};
  const flagged = new Set<string>();
  for (const part of contributions) {
    if (part.name === "") continue;
    const old = Object.hasOwn(answer, part.name) ? answer[part.name] : undefined;
    if ("flag" in part) {
      const flags = isPlain(old) ? old : {};
      define(flags, part.flag, part.on);
      flagged.add(part.name);
      define(answer, part.name, flags);
    } else if (part.value !== "" || old === undefined) {
      define(answer, part.name, part.value);
    }
  }
  for (const name of flagged) define(answer, name, sorted(answer[name]));
  return sorted(answer) as Answer;
}

function sorted(value: unknown): unknown {
  if (!isPlain(value)) return value;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) define(out, key, value[key]);
  return out;
}

/** The flag of a name in an answer, or null when the answer does not have it. */
export function flagOf(value: unknown, flag: string): boolean | null {
  if (!isPlain(value) || !Object.hasOwn(value, flag)) return null;
  const on = value[flag];
  return typeof on === "boolean" ? on : null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Assignment that also works for a field named `__proto__`. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
