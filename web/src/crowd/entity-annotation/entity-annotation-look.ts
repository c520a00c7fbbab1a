import { css } from "../../kit/reactive.js";
import { toolLook } from "../element/tool-element.js";

/** Label rows, tool buttons and key sheet of the tools for text. */
export const textToolLook = [
  ...toolLook,
  css`
    .toolbar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 2px;
      margin: 0 0 8px -7px;
    }
    .gap {
      width: 10px;
    }
    .tool-button {
      display: grid;
      place-items: center;
      width: 34px;
      height: 34px;
      padding: 0;
      border: 0;
      border-radius: var(--crowd-radius);
      background: none;
    }
    .tool-button:hover:not([disabled]) {
      background: var(--crowd-accent-soft);
      color: var(--crowd-accent);
    }
    .tool-button[disabled] {
      opacity: 0.4;
      cursor: default;
    }
    .link[disabled] {
      opacity: 0.5;
      cursor: default;
    }
    .hint {
      flex: 1 1 200px;
      margin: 0 0 0 10px;
      font-size: 14px;
      color: var(--crowd-ink-soft);
    }
    .hint strong {
      color: var(--crowd-danger);
    }
    .description {
      margin: 0 0 12px;
    }
    .side ul,
    .side ol {
      margin: 0;
      padding: 0;
      list-style: none;
    }
    .side h3 {
      margin: 0 4px 6px;
    }
    .total {
      font-weight: 400;
    }
    .quiet {
      margin: 0 4px;
      font-size: 14px;
      color: var(--crowd-ink-soft);
    }
    .search {
      width: 100%;
      min-height: 36px;
      margin-bottom: 6px;
      padding: 5px 10px;
      border: 1px solid var(--crowd-line-strong);
      border-radius: var(--crowd-radius);
      background: var(--crowd-paper);
      color: inherit;
      font: inherit;
    }
    .search[hidden] {
      display: none;
    }
    .label {
      display: flex;
      align-items: center;
      border-radius: var(--crowd-radius);
    }
    .label.active {
      background: color-mix(in srgb, var(--colour) 16%, transparent);
      box-shadow: inset 3px 0 var(--colour);
    }
    .label:not(.active):hover {
      background: var(--crowd-paper-soft);
    }
    .choose {
      display: flex;
      flex: 1;
      align-items: center;
      gap: 8px;
      min-width: 0;
      min-height: 34px;
      padding: 3px 6px 3px 10px;
      border: 0;
      border-radius: var(--crowd-radius);
      background: none;
      text-align: start;
    }
    .swatch {
      flex: none;
      width: 12px;
      height: 12px;
      border-radius: 3px;
      background: var(--colour);
    }
    .name {
      flex: 1;
      min-width: 0;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    .spans .name {
      white-space: nowrap;
    }
    .short,
    .count {
      font-size: 13px;
      color: var(--crowd-ink-soft);
      font-variant-numeric: tabular-nums;
    }
    .spans .short {
      max-width: 45%;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .drop {
      display: grid;
      place-items: center;
      width: 28px;
      height: 28px;
      padding: 0;
      border: 0;
      border-radius: 4px;
      background: none;
      color: var(--crowd-ink-soft);
    }
    .drop:hover {
      color: var(--crowd-danger);
      background: var(--crowd-danger-soft);
    }
    .drop svg {
      width: 16px;
      height: 16px;
    }
    kbd {
      min-width: 20px;
      padding: 0 5px;
      border: 1px solid var(--crowd-line);
      border-bottom-width: 2px;
      border-radius: 4px;
      background: var(--crowd-paper);
      font: 12px/18px var(--crowd-font);
      text-align: center;
      color: var(--crowd-ink-soft);
    }
  `,
];

export const entityAnnotationLook = [
  ...textToolLook,
  css`
    .tool {
      height: max(420px, calc(100vh - var(--crowd-footer, 0px)));
    }
    .target {
      display: flex;
      flex-direction: column;
      overflow: auto;
    }
    fiducial-annotated-text {
      flex: 1 0 180px;
    }
    .side {
      display: flex;
      flex-direction: column;
      gap: 16px;
      min-width: 0;
      min-height: 0;
      padding: 16px 12px;
    }
    .labels {
      flex: 0 1 auto;
      min-height: 120px;
      overflow: auto;
    }
    .spans {
      flex: 1 1 0;
      min-height: 90px;
      overflow: auto;
    }
    @container (max-width: 820px) {
      .tool {
        height: auto;
      }
      fiducial-annotated-text {
        flex: none;
        height: 45vh;
      }
      .labels ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(160px, 1fr));
      }
      .labels,
      .spans {
        max-height: 260px;
      }
    }
  `,
];
