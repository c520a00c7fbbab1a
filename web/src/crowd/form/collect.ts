import { CrowdField } from "../element/crowd-element.js";
import { flagOf, mergeAnswer } from "./answer.pure.js";
import type { Answer, Contribution } from "./answer.pure.js";

type PlainField = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const BUTTONS = new Set(["button", "submit", "reset", "image"]);

/** The fields below a root, in document order: ours and the browser's own. Fields inside shadow trees are their element's affair, but for those that scripts put there. */
function* fieldsOf(root: ParentNode): Generator<CrowdField | PlainField> {
  for (const element of root.querySelectorAll("*")) {
    if (element instanceof CrowdField) {
      yield element;
      if (element.moreFields) yield* fieldsOf(element.moreFields);
    }
    else if (isPlainField(element)) yield element;
  }
}

function isPlainField(element: Element): element is PlainField {
  if (element instanceof HTMLInputElement) return !BUTTONS.has(element.type);
  return element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
}

export function collect(root: ParentNode): Answer {
  const parts: Contribution[] = [];
  for (const field of fieldsOf(root)) {
    if (field instanceof CrowdField) parts.push(...field.contributions());
    else if (field.name !== "" && !field.matches(":disabled")) parts.push(plainContribution(field));
  }
  return mergeAnswer(parts);
}

function plainContribution(field: PlainField): Contribution {
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
    return { name: field.name, flag: field.value, on: field.checked };
  }
  if (field instanceof HTMLSelectElement && field.multiple) {
    return { name: field.name, value: [...field.selectedOptions].map((option) => option.value) };
  }
  return { name: field.name, value: field.value };
}

/** Sets every field from an answer; a field that the answer does not name, or not fittingly, stays as it is. */
export function restore(root: ParentNode, answer: Answer): void {
  for (const field of fieldsOf(root)) {
    if (field.name === "" || !Object.hasOwn(answer, field.name)) continue;
    const value = answer[field.name];
    if (field instanceof CrowdField) field.restore(value);
    else if (restorePlain(field, value)) {
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
}

function restorePlain(field: PlainField, value: unknown): boolean {
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
    const on = flagOf(value, field.value);
    if (on === null || on === field.checked) return false;
    field.checked = on;
    return true;
  }
  if (field instanceof HTMLSelectElement && field.multiple) {
    if (!Array.isArray(value)) return false;
    for (const option of field.options) option.selected = value.includes(option.value);
    return true;
  }
  if (typeof value !== "string" || field.value === value) return false;
  if (field instanceof HTMLInputElement && field.type === "file") return false;
  field.value = value;
  return true;
}

/** Back to what the template said. */
export function resetAll(root: ParentNode): void {
  for (const field of fieldsOf(root)) {
    if (field instanceof CrowdField) field.reset();
    else if (field instanceof HTMLSelectElement) for (const option of field.options) option.selected = option.defaultSelected;
    else if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) field.checked = field.defaultChecked;
    else field.value = field.defaultValue;
  }
}

export interface Verdict {
  readonly ok: boolean;
  /** What to say when no field could say it itself. */
  readonly message: string;
}

/** Checks all fields; each shows its own message, and the first bad one is brought into sight. */
export function checkAll(root: ParentNode): Verdict {
  let first: CrowdField | PlainField | null = null;
  for (const field of fieldsOf(root)) {
    const ok = field instanceof CrowdField ? field.check() : !field.willValidate || field.checkValidity();
    if (!ok) first ??= field;
  }
  if (!first) return { ok: true, message: "" };
  // Whoever hides the field for the moment, as a tab does, may show it now.
  first.dispatchEvent(new Event("crowd-reveal", { bubbles: true }));
  if (first instanceof CrowdField) {
    first.scrollIntoView({ block: "nearest" });
    first.focus();
    return { ok: false, message: "" };
  }
  if (first.checkVisibility()) {
    first.reportValidity();
    return { ok: false, message: "" };
  }
  return { ok: false, message: `${first.name || "A hidden field"}: ${first.validationMessage}` };
}
