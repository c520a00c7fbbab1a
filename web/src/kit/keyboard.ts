/** What of a keyboard event says which key it is; so tests need no DOM. */
export interface Keystroke {
  readonly key: string;
  readonly code?: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/**
 * The stroke as one word: "mod+shift+z", "delete", "shift+arrowleft", "1".
 * `mod` is Ctrl, or Command on a Mac. A character that needs Shift to type
 * ("+", "?") is named by itself, so layouts do not matter; digits are taken
 * from the key's place as well, for layouts where they need Shift.
 */
export function strokeOf(event: Keystroke): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase();
  const mods: string[] = [];
  if (event.ctrlKey || event.metaKey) mods.push("mod");
  if (event.altKey) mods.push("alt");
  const typed = event.key.length === 1 && !/[a-z0-9]/i.test(event.key);
  if (event.shiftKey && !typed) mods.push("shift");
  mods.push(key === " " ? "space" : key);
  return mods.join("+");
}

/** The digit 0–9 of a stroke without Ctrl or Alt, by character or by place on the keyboard, or null. */
export function digitOf(event: Keystroke): number | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  const place = /^Digit([0-9])$/.exec(event.code ?? "");
  return place && !event.shiftKey ? Number(place[1]) : null;
}

/** True when the event belongs to a field in which people type. */
export function isTyping(event: Event): boolean {
  return event.composedPath().some((target) => {
    if (!(target instanceof HTMLElement)) return false;
    if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
    return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
  });
}
