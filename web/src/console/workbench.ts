// The template workbench shows the preview while its author types. Without this
// script the button does.

/** So long after the last key the preview is made: each is rendered by the server, and on record. */
const PAUSE_MS = 700;

function start(form: HTMLFormElement, frame: HTMLIFrameElement, live: HTMLInputElement): void {
  let shown = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let typing: Element | null = null;
  const written = (): string => JSON.stringify([...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("textarea, input[name=role]")].map((field) => field.value));
  const show = (): void => {
    if (live.checked && form.checkValidity() && written() !== shown) form.requestSubmit();
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  };
  form.addEventListener("input", soon);
  form.addEventListener("submit", () => {
    shown = written();
    typing = document.activeElement;
  });
  // A template may take the focus when it comes; whoever is writing keeps it.
  frame.addEventListener("load", () => {
    if (document.activeElement === frame && typing instanceof HTMLTextAreaElement) typing.focus();
  });
  live.closest("label")?.removeAttribute("hidden");
  show();
}

const form = document.querySelector<HTMLFormElement>(".workbench-source");
const frame = document.querySelector<HTMLIFrameElement>(".workbench-preview");
const live = document.querySelector<HTMLInputElement>("#live");
if (form && frame && live) start(form, frame, live);
