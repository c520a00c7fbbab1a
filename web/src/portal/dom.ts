/** What an element is to have: properties by their names, "class" and "role" as attributes have them. */
export interface Wanted {
  readonly class?: string;
  readonly role?: string;
  readonly label?: string;
  readonly type?: string;
  readonly value?: string;
  readonly href?: string;
  readonly method?: string;
  readonly run?: () => void;
}

/**
 * A new element with what it holds. The pages come from the server; the little that
 * is shown besides is made so, as a template library would weigh more than all of it.
 */
export function make(tag: string, { class: className, label, run, ...attributes }: Wanted, ...content: readonly (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (label) element.ariaLabel = label;
  if (run) element.addEventListener("click", run);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}
