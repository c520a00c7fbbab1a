// The islands of the portal's pages. Pages are rendered by the server and work
// without this where they can; here is what needs a script.

import { TaskApi } from "./api.js";
import { TaskPage } from "./task-page.js";

function start(): void {
  const csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const task = document.querySelector<HTMLElement>("main#task");
  if (task) new TaskPage(task, new TaskApi(csrf));
  lockForms();
}

/** A form that is on its way cannot be sent a second time by an impatient click. */
function lockForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method === "dialog" || event.defaultPrevented) return;
    // After the browser has taken down which button was pressed.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    }, 0);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const button of document.querySelectorAll<HTMLButtonElement>("form button")) button.disabled = false;
  });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();
