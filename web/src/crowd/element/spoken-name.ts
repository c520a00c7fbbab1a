/**
 * What a field is called for those who do not see the page, when it has no label
 * of its own: what the author said by ARIA or by a <label>, or else its title,
 * placeholder or name.
 */
export function spokenName(host: HTMLElement, ...others: readonly string[]): string {
  const given = host.getAttribute("aria-label") ?? referred(host) ?? labelled(host);
  return [given ?? "", host.title, ...others].map((text) => text.trim()).find((text) => text !== "") ?? "";
}

function referred(host: HTMLElement): string | null {
  const ids = host.getAttribute("aria-labelledby")?.split(/\s+/) ?? [];
  const root = host.getRootNode() as Document | ShadowRoot;
  const text = ids.map((id) => root.getElementById(id)?.textContent ?? "").join(" ");
  return text.trim() === "" ? null : text;
}

function labelled(host: HTMLElement): string | null {
  const root = host.getRootNode() as Document | ShadowRoot;
  const label = host.closest("label") ?? (host.id === "" ? null : root.querySelector(`label[for="${CSS.escape(host.id)}"]`));
  return label?.textContent ?? null;
}

/** "report-problem" as words, for a button that has nothing but an icon. */
export function iconWords(icon: string): string {
  return /[/.]/.test(icon) ? "" : icon.replace(/^.*:/, "").replaceAll("-", " ");
}
