import { css } from "../../kit/reactive.js";
import { imageToolLook } from "../image-tool/image-tool-look.js";

export const segmentationLook = [
  ...imageToolLook,
  css`
    .measure {
      display: flex;
      align-items: center;
      gap: 8px;
      padding: 0 6px;
      font-size: 13px;
      color: var(--crowd-ink-soft);
    }
    .measure input {
      width: 110px;
    }
    .measure output {
      min-width: 30px;
      font-variant-numeric: tabular-nums;
    }
    /* One row beside open instructions on a window of 1280 pixels. */
    @container (max-width: 1320px) {
      .toolbar {
        gap: 1px;
        padding: 4px 6px;
      }
      .toolbar .tool-button {
        width: 32px;
      }
      .toolbar .gap {
        margin: 0 3px;
      }
      .measure {
        gap: 4px;
        padding: 0 2px;
      }
      .measure span {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
      .measure input {
        width: 84px;
      }
    }
    .advice .quiet {
      font-size: 13px;
    }
    .advice .off {
      margin-top: 8px;
      padding: 8px 10px;
      border-radius: var(--crowd-radius);
      background: var(--crowd-warning-soft);
      color: var(--crowd-warning);
    }
    .instances {
      flex: 0 1 auto;
      min-height: 0;
      overflow: auto;
    }
    .add {
      margin: 8px 4px 0;
      align-self: start;
      min-height: 32px;
      padding: 2px 12px;
      font-size: 14px;
      font-weight: 500;
    }
    .add svg {
      width: 16px;
      height: 16px;
    }
  `,
];
