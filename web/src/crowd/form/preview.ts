import { html, render } from "../../kit/reactive.js";
import type { Answer } from "./answer.pure.js";

let place: HTMLElement | null = null;

/**
 * Shows the answer in the page, for a template opened on its own. It stands in
 * the light tree as a table, where scripts that try templates look for it.
 */
export function showPreview(answer: Answer): void {
  if (!place) {
    place = document.createElement("div");
    document.body.append(place);
  }
  render(
    html`
      <table style="margin: 16px 20px; border: 1px solid var(--crowd-line); border-radius: 6px">
        <caption style="text-align: start; font-weight: 600; padding: 4px 0">The answer (preview: nothing was submitted)</caption>
        <tbody>
          <tr>
            <td style="padding: 12px"><code style="white-space: pre-wrap; overflow-wrap: anywhere">${JSON.stringify(answer, null, 2)}</code></td>
          </tr>
        </tbody>
      </table>
    `,
    place,
  );
  place.scrollIntoView({ block: "nearest" });
}
