import { html, nothing } from "../../kit/reactive.js";
import type { TemplateResult } from "../../kit/reactive.js";
import { icon } from "../button/icons.js";

/** A button of a tool bar: a drawing, and a name with its key. */
export function toolButton(name: string, label: string, run: () => void, options: { pressed?: boolean; disabled?: boolean } = {}): TemplateResult {
  return html`
    <button class="tool-button" type="button" title=${label} aria-label=${label} aria-pressed=${options.pressed ?? nothing} ?disabled=${options.disabled ?? false} @click=${run}>${icon(name)}</button>
  `;
}

export const gap = html`<span class="gap"></span>`;

/** A slider with its name and its value in per cent. */
export function slider(label: string, value: number, [min, max, step]: readonly [number, number, number], set: (n: number) => void): TemplateResult {
  return html`
    <label class="slider" @change=${stop} @input=${stop}
      ><span>${label}</span><input type="range" min=${min} max=${max} step=${step} .value=${String(value)} @input=${(e: Event) => set(Number((e.target as HTMLInputElement).value))} /><output>${value}%</output></label
    >
  `;
}

/** How the picture is shown is no edit of the answer: the form need not hear of it. */
function stop(event: Event): void {
  event.stopPropagation();
}

/** A button that opens a small panel below itself. */
export function menu(name: string, label: string, body: unknown): TemplateResult {
  return html`
    <details class="menu" @focusout=${closeWhenLeft} @keydown=${closeOnEscape}>
      <summary class="tool-button" title=${label} aria-label=${label}>${icon(name)}</summary>
      <div class="menu-body">${body}</div>
    </details>
  `;
}

function closeWhenLeft(event: FocusEvent): void {
  const details = event.currentTarget as HTMLDetailsElement;
  if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) details.open = false;
}

function closeOnEscape(event: KeyboardEvent): void {
  const details = event.currentTarget as HTMLDetailsElement;
  if (event.key !== "Escape" || !details.open) return;
  event.stopPropagation();
  details.open = false;
  details.querySelector("summary")?.focus();
}
