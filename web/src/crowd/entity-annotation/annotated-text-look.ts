import { css } from "../../kit/reactive.js";
import { look } from "../element/look.js";

export const annotatedTextLook = [
  look,
  css`
    :host {
      display: block;
      min-height: 0;
    }
    .text {
      position: relative;
      height: 100%;
      padding: 14px 0;
      overflow: auto;
      overflow-wrap: anywhere;
      border: 1px solid var(--crowd-line);
      border-radius: 8px;
      background: var(--crowd-paper);
      font-size: 16px;
      line-height: 34px;
      white-space: pre-wrap;
      cursor: text;
    }
    .text:focus-visible {
      outline-offset: 1px;
    }
    .block {
      padding: 0 22px;
      content-visibility: auto;
    }
    ::selection,
    ::highlight(fiducial-range) {
      background-color: light-dark(#b9d6fb, #2b5a8f);
      color: inherit;
    }
    .mark {
      padding-top: 3px;
      border-radius: 2px;
      -webkit-box-decoration-break: clone;
      box-decoration-break: clone;
      cursor: pointer;
    }
    .tag {
      display: inline-flex;
      align-items: center;
      height: 20px;
      margin: 0 3px;
      border-radius: 4px;
      font-size: 11px;
      font-weight: 700;
      line-height: 20px;
      vertical-align: 2px;
      white-space: nowrap;
      unicode-bidi: isolate;
      user-select: none;
      -webkit-user-select: none;
    }
    .tag.on {
      outline: 2px solid var(--crowd-ink);
      outline-offset: 1px;
    }
    .tag button {
      height: 20px;
      padding: 0 2px 0 5px;
      border: 0;
      background: none;
      line-height: inherit;
    }
    .tag .pick {
      max-width: 14em;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    .tag .drop {
      min-width: 20px;
      padding: 0 5px 0 2px;
      font-size: 10px;
      opacity: 0.75;
    }
    .tag .drop:hover {
      opacity: 1;
    }
    /* Fingers need more room. */
    @media (pointer: coarse) {
      .text {
        line-height: 40px;
      }
      .tag,
      .tag button {
        height: 28px;
      }
      .tag .drop {
        min-width: 30px;
        font-size: 13px;
      }
    }
    .caret {
      position: absolute;
      top: 0;
      left: 0;
      width: 2px;
      margin: -1px 0 0 -1px;
      background: var(--crowd-accent);
      pointer-events: none;
      user-select: none;
      -webkit-user-select: none;
      visibility: hidden;
      animation: blink 1.1s steps(2, jump-none) infinite;
    }
    .text:focus .caret {
      visibility: visible;
    }
    @keyframes blink {
      50%,
      100% {
        opacity: 0;
      }
    }
  `,
];
