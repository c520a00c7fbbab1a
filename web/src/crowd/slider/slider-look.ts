import { css } from "../../kit/reactive.js";
import { look } from "../element/look.js";

// The knob is 20 pixels wide, so a value's place is 10 pixels in from the ends of the rail.
export const sliderLook = [
  look,
  css`
    :host {
      display: block;
      max-width: 100%;
      margin: 8px 0;
    }
    .row {
      display: flex;
      align-items: center;
      gap: 16px;
    }
    .rail {
      --place: calc(10px + var(--at) * (100% - 20px));
      position: relative;
      flex: 1;
      min-width: 80px;
      max-width: 640px;
    }
    .pinned {
      padding-top: 30px;
    }
    [type="range"] {
      display: block;
      width: 100%;
      height: 28px;
      margin: 0;
      border-radius: 4px;
      background:
        linear-gradient(var(--crowd-accent) 0 0) left center / var(--place) 4px no-repeat,
        linear-gradient(var(--crowd-slider-secondary-color, var(--crowd-line-strong)) 0 0) left center / calc(10px + var(--second) * (100% - 20px)) 4px no-repeat,
        linear-gradient(var(--crowd-line) 0 0) left center / 100% 4px no-repeat;
      appearance: none;
      cursor: pointer;
    }
    [type="range"]::-webkit-slider-thumb {
      width: 20px;
      height: 20px;
      border: 2px solid var(--crowd-accent);
      border-radius: 50%;
      background: var(--crowd-accent);
      appearance: none;
    }
    [type="range"]::-moz-range-thumb {
      width: 16px;
      height: 16px;
      border: 2px solid var(--crowd-accent);
      border-radius: 50%;
      background: var(--crowd-accent);
    }
    .untouched [type="range"]::-webkit-slider-thumb {
      background: var(--crowd-paper);
    }
    .untouched [type="range"]::-moz-range-thumb {
      background: var(--crowd-paper);
    }
    [type="range"]:disabled {
      opacity: 0.5;
      cursor: not-allowed;
    }
    .pin {
      position: absolute;
      top: 0;
      left: var(--place);
      min-width: 28px;
      padding: 2px 7px;
      border-radius: 6px;
      background: var(--crowd-ink);
      color: var(--crowd-paper);
      font-size: 13px;
      font-weight: 600;
      line-height: 20px;
      text-align: center;
      font-variant-numeric: tabular-nums;
      translate: -50%;
      pointer-events: none;
    }
    .pin::after {
      position: absolute;
      top: 100%;
      left: 50%;
      border: 5px solid transparent;
      border-top-color: var(--crowd-ink);
      content: "";
      translate: -50%;
    }
    .untouched .pin {
      opacity: 0.55;
    }
    [type="number"] {
      width: 6.5em;
      padding: 6px 8px;
      border: 1px solid var(--crowd-line-strong);
      border-radius: var(--crowd-radius);
      background: var(--crowd-paper);
      color: inherit;
      font: inherit;
    }
    .labels {
      display: grid;
      max-width: 640px;
      color: var(--crowd-ink-soft);
    }
    slot {
      display: contents;
    }
    ::slotted(crowd-slider-label) {
      position: relative;
      /* Those at the ends stay within the ends of the rail. */
      left: calc(var(--crowd-at, 0) * 100%);
      grid-area: 1 / 1;
      justify-self: start;
      translate: calc(var(--crowd-at, 0) * -100%);
    }
  `,
];
