import { css } from "../../kit/reactive.js";

/**
 * The colours and measures of all crowd elements, for the document. They lie in
 * a cascade layer, so whatever a template's author writes wins.
 */
export const pageLook = css`
  @layer crowd {
    :root {
      color-scheme: only light;
      --crowd-ink: light-dark(#16191d, #e8eaed);
      --crowd-ink-soft: light-dark(#5a6472, #a3acb8);
      --crowd-paper: light-dark(#fff, #1b1e23);
      --crowd-paper-soft: light-dark(#f5f7f9, #22262c);
      --crowd-paper-sunk: light-dark(#e4e8ec, #121418);
      --crowd-line: light-dark(#d5dae0, #363c45);
      --crowd-line-strong: light-dark(#868f9b, #7d8795);
      --crowd-accent: light-dark(#0b63ce, #6cb2ff);
      --crowd-accent-strong: light-dark(#084d9f, #93c7ff);
      --crowd-accent-soft: light-dark(#e6f0fc, #16304e);
      --crowd-on-accent: light-dark(#fff, #0b1a2b);
      --crowd-danger: light-dark(#b3261e, #ff9d94);
      --crowd-danger-soft: light-dark(#fdeceb, #451f1c);
      --crowd-success: light-dark(#1c6b3c, #7ddba0);
      --crowd-success-soft: light-dark(#e8f6ed, #173626);
      --crowd-warning: light-dark(#7a4b00, #f6c46a);
      --crowd-warning-soft: light-dark(#fff5e0, #40300f);
      --crowd-radius: 6px;
      --crowd-font: system-ui, sans-serif;
    }
    :root[data-crowd-theme="light"] {
      color-scheme: only light;
    }
    :root[data-crowd-theme="dark"] {
      color-scheme: only dark;
    }
    body {
      margin: 0;
      font: 15px/1.5 var(--crowd-font);
      color: var(--crowd-ink);
      background: var(--crowd-paper);
    }
    short-instructions,
    full-instructions,
    classification-target,
    worker-comment,
    short-summary,
    detailed-instructions,
    positive-example,
    negative-example {
      display: block;
    }
    classification-target img,
    short-instructions img,
    full-instructions img,
    positive-example img,
    negative-example img {
      max-width: 100%;
    }
    crowd-form:not(:defined) {
      visibility: hidden;
    }
  }
`;

/** What every shadow tree of ours begins with. */
export const look = css`
  :host {
    color: var(--crowd-ink);
    font-family: var(--crowd-font);
    font-size: 15px;
    line-height: 1.5;
  }
  :host([hidden]) {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 2px solid var(--crowd-accent);
    outline-offset: 2px;
  }
  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  .link {
    border: 0;
    background: none;
    padding: 2px 0;
    color: var(--crowd-accent);
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .link:hover {
    color: var(--crowd-accent-strong);
  }
  .problem {
    margin: 6px 0 0;
    color: var(--crowd-danger);
    font-size: 14px;
  }
  .problem:empty {
    display: none;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;

/** Buttons within our shadow trees. */
export const buttonLook = css`
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 36px;
    padding: 5px 16px;
    border: 1px solid var(--crowd-line-strong);
    border-radius: var(--crowd-radius);
    background: var(--crowd-paper);
    color: var(--crowd-ink);
    font: inherit;
    font-weight: 600;
    text-decoration: none;
    cursor: pointer;
  }
  .button:hover {
    background: var(--crowd-paper-soft);
    border-color: var(--crowd-ink-soft);
  }
  .button.primary {
    background: var(--crowd-accent);
    border-color: var(--crowd-accent);
    color: var(--crowd-on-accent);
  }
  .button.primary:hover {
    background: var(--crowd-accent-strong);
    border-color: var(--crowd-accent-strong);
  }
  .button[disabled],
  .button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: not-allowed;
  }
`;
