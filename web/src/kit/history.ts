/**
 * Undo and redo over immutable states. States share what did not change, so a
 * step costs one array of references, not a copy of the drawing.
 *
 * Edits that carry the same non-empty `merge` key one after another become one
 * step: a run of arrow presses is undone by one undo.
 */
export class History<T> {
  private readonly past: T[] = [];
  private future: T[] = [];
  private mergeKey = "";

  constructor(
    private present: T,
    private readonly limit = 500,
  ) {}

  get state(): T {
    return this.present;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  push(next: T, merge = ""): void {
    if (next === this.present) return;
    if (merge === "" || merge !== this.mergeKey) {
      this.past.push(this.present);
      if (this.past.length > this.limit) this.past.shift();
    }
    this.mergeKey = merge;
    this.present = next;
    this.future = [];
  }

  /** Starts over from a state that is not an edit, such as a restored draft. */
  reset(state: T): void {
    this.past.length = 0;
    this.future = [];
    this.mergeKey = "";
    this.present = state;
  }

  /** Ends a run of merged edits. */
  settle(): void {
    this.mergeKey = "";
  }

  undo(): boolean {
    const previous = this.past.pop();
    if (previous === undefined) return false;
    this.future.push(this.present);
    this.present = previous;
    this.mergeKey = "";
    return true;
  }

  redo(): boolean {
    const next = this.future.pop();
    if (next === undefined) return false;
    this.past.push(this.present);
    this.present = next;
    this.mergeKey = "";
    return true;
  }
}

/** One step of a list: from `at` on, `before` stood where `after` stands. */
interface Splice<T> {
  readonly at: number;
  readonly before: readonly T[];
  readonly after: readonly T[];
}

/**
 * Undo and redo over immutable lists, without limit: a step keeps what it took
 * away and what it put in its place, not the list, so a million nudges among
 * thousands of shapes cost what the nudged shapes cost.
 *
 * Edits that carry the same non-empty `merge` key one after another become one
 * step: a run of arrow presses is undone by one undo.
 */
export class ListHistory<T> {
  private past: Splice<T>[] = [];
  private future: Splice<T>[] = [];
  private mergeKey = "";

  constructor(private present: readonly T[] = []) {}

  get state(): readonly T[] {
    return this.present;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  push(next: readonly T[], merge = ""): void {
    if (next === this.present) return;
    const last = merge !== "" && merge === this.mergeKey ? this.past.pop() : undefined;
    this.past.push(spliceBetween(last ? undone(this.present, last) : this.present, next));
    this.mergeKey = merge;
    this.present = next;
    this.future = [];
  }

  /** Starts over from a state that is not an edit, such as a restored draft. */
  reset(state: readonly T[]): void {
    this.past = [];
    this.future = [];
    this.mergeKey = "";
    this.present = state;
  }

  /** Ends a run of merged edits. */
  settle(): void {
    this.mergeKey = "";
  }

  undo(): boolean {
    const step = this.past.pop();
    if (!step) return false;
    this.future.push(step);
    this.present = undone(this.present, step);
    this.mergeKey = "";
    return true;
  }

  redo(): boolean {
    const step = this.future.pop();
    if (!step) return false;
    this.past.push(step);
    this.present = replaced(this.present, step.at, step.before.length, step.after);
    this.mergeKey = "";
    return true;
  }
}

function spliceBetween<T>(before: readonly T[], after: readonly T[]): Splice<T> {
  const shorter = Math.min(before.length, after.length);
  let at = 0;
  while (at < shorter && before[at] === after[at]) at++;
  let tail = 0;
  while (tail < shorter - at && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { at, before: before.slice(at, before.length - tail), after: after.slice(at, after.length - tail) };
}

function undone<T>(list: readonly T[], step: Splice<T>): readonly T[] {
  return replaced(list, step.at, step.after.length, step.before);
}

function replaced<T>(list: readonly T[], at: number, count: number, by: readonly T[]): readonly T[] {
  return [...list.slice(0, at), ...by, ...list.slice(at + count)];
}
