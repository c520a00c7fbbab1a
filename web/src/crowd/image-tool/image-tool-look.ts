import { css } from "../../kit/reactive.js";
import { stageLook } from "../../kit/stage-look.js";
import { toolLook } from "../element/tool-element.js";

/** The look of every tool that draws on a picture. */
export const imageToolLook = [
  ...toolLook,
  stageLook,
  css`
    .tool {
      height: max(440px, calc(100vh - var(--crowd-footer, 0px)));
    }
    .target {
      display: flex;
      flex-direction: column;
      padding: 0;
    }
    h2 {
      margin: 0;
      padding: 10px 16px 4px;
      font-size: 16px;
    }
    .target > .problem {
      margin: 0;
      padding: 8px 16px;
      background: var(--crowd-danger-soft);
      font-weight: 600;
    }
    .stage {
      flex: 1;
      min-height: 0;
      cursor: crosshair;
    }
    .stage:focus-visible {
      outline-offset: -3px;
    }
    .cross {
      display: none;
      position: absolute;
      z-index: 2;
      pointer-events: none;
      background: rgb(255 255 255 / 0.75);
      box-shadow: 0 0 0 0.5px rgb(0 0 0 / 0.6);
    }
    .crossed .cross {
      display: block;
    }
    .cross.x {
      top: 0;
      bottom: 0;
      left: 0;
      width: 1px;
      transform: translateX(var(--x));
    }
    .cross.y {
      left: 0;
      right: 0;
      top: 0;
      height: 1px;
      transform: translateY(var(--y));
    }
    .note {
      position: absolute;
      z-index: 3;
      top: 12px;
      left: 50%;
      max-width: calc(100% - 32px);
      margin: 0;
      padding: 8px 16px;
      border-radius: var(--crowd-radius);
      background: var(--crowd-paper);
      box-shadow: 0 2px 12px rgb(0 0 0 / 0.25);
      transform: translateX(-50%);
      cursor: default;
    }
    .note.failed {
      top: 40%;
      color: var(--crowd-danger);
      white-space: pre-line;
    }
    .toolbar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 2px;
      padding: 4px 10px;
      border-bottom: 1px solid var(--crowd-line);
    }
    .tool-button {
      display: grid;
      place-items: center;
      width: 34px;
      height: 34px;
      padding: 0;
      border: 1px solid transparent;
      border-radius: var(--crowd-radius);
      background: none;
      color: var(--crowd-ink);
      list-style: none;
      cursor: pointer;
    }
    .tool-button::-webkit-details-marker {
      display: none;
    }
    .tool-button:hover:not(:disabled) {
      background: var(--crowd-paper-soft);
      border-color: var(--crowd-line);
    }
    .tool-button[aria-pressed="true"],
    details[open] > .tool-button {
      background: var(--crowd-accent-soft);
      border-color: var(--crowd-accent);
      color: var(--crowd-accent);
    }
    .tool-button:disabled {
      opacity: 0.35;
      cursor: default;
    }
    .gap {
      width: 1px;
      height: 22px;
      margin: 0 6px;
      background: var(--crowd-line);
    }
    .zoom-level {
      min-width: 48px;
      text-align: center;
      font-size: 13px;
      font-variant-numeric: tabular-nums;
      color: var(--crowd-ink-soft);
    }
    .menu {
      position: relative;
    }
    .menu-body {
      position: absolute;
      z-index: 10;
      top: 40px;
      left: 0;
      width: 290px;
      padding: 12px 16px;
      border: 1px solid var(--crowd-line);
      border-radius: 8px;
      background: var(--crowd-paper);
      box-shadow: 0 8px 30px rgb(0 0 0 / 0.2);
    }
    .slider {
      display: grid;
      grid-template-columns: 80px 1fr 44px;
      gap: 8px;
      align-items: center;
      font-size: 13px;
    }
    .menu-body .slider {
      min-height: 32px;
    }
    .slider output {
      text-align: right;
      font-variant-numeric: tabular-nums;
    }
    input[type="range"] {
      accent-color: var(--crowd-accent);
      min-width: 0;
    }
    .side {
      display: flex;
      flex-direction: column;
      flex-basis: 264px;
      gap: 16px;
      padding: 12px;
      min-height: 0;
    }
    .side ul {
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
    .labels {
      flex: none;
      max-height: 50%;
      overflow: auto;
    }
    .label {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      border-radius: var(--crowd-radius);
    }
    .label .slider {
      flex: 0 0 100%;
      grid-template-columns: auto 1fr 40px;
      padding: 0 8px 4px 12px;
      color: var(--crowd-ink-soft);
    }
    .label input[type="range"] {
      height: 20px;
      accent-color: var(--colour);
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
      gap: 10px;
      min-width: 0;
      min-height: 36px;
      padding: 4px 6px 4px 12px;
      border: 0;
      background: none;
      text-align: start;
    }
    .swatch {
      flex: none;
      width: 14px;
      height: 14px;
      border-radius: 3px;
      background: var(--colour);
    }
    .name {
      flex: 1;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    .active .name {
      font-weight: 650;
    }
    .unseen .name {
      color: var(--crowd-ink-soft);
      text-decoration: line-through;
    }
    .count {
      font-size: 13px;
      color: var(--crowd-ink-soft);
      font-variant-numeric: tabular-nums;
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
    .eye {
      display: grid;
      place-items: center;
      width: 30px;
      height: 30px;
      padding: 0;
      border: 0;
      border-radius: 4px;
      background: none;
      color: var(--crowd-ink-soft);
    }
    .eye svg {
      width: 17px;
      height: 17px;
    }
    .eye:hover {
      color: var(--crowd-ink);
    }
    .side .keys {
      margin: 0 4px;
    }
    .shapes {
      display: flex;
      flex-direction: column;
      flex: 1;
      min-height: 0;
    }
    fiducial-shape-list {
      flex: 1;
    }
    @container (max-width: 820px) {
      .tool {
        height: auto;
      }
      .stage {
        flex: none;
        height: min(62vh, 105cqw);
      }
      .labels ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(170px, 1fr));
        align-items: start;
        gap: 4px;
      }
      .shapes {
        max-height: 260px;
      }
    }
  `,
];
