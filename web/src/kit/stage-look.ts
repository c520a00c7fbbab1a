import { css } from "./reactive.js";

/** Styles of a stage and its canvases, for the shadow tree that holds it. */
export const stageLook = css`
  .stage {
    position: relative;
    overflow: hidden;
    touch-action: none;
    user-select: none;
    -webkit-user-select: none;
    /* In all themes a grey that leaves the picture's colours alone. */
    background: #2a2e34;
  }
  .stage canvas {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }
  .stage canvas {
    pointer-events: none;
  }
  .stage .lower-canvas {
    transform-origin: 0 0;
  }
  .stage canvas[hidden] {
    display: none;
  }
  .stage .picture {
    position: absolute;
    left: 0;
    top: 0;
    max-width: none;
    visibility: hidden;
    image-orientation: none;
    transform-origin: 0 0;
    pointer-events: none;
  }
  .minimap {
    position: absolute;
    z-index: 2;
    right: 10px;
    bottom: 10px;
    overflow: hidden;
    border: 1px solid rgb(255 255 255 / 0.7);
    border-radius: 4px;
    background: #2a2e34;
    box-shadow: 0 2px 10px rgb(0 0 0 / 0.5);
    cursor: pointer;
  }
  .minimap[hidden] {
    display: none;
  }
  .minimap img {
    display: block;
    image-orientation: none;
    opacity: 0.85;
    pointer-events: none;
  }
  .minimap div {
    position: absolute;
    left: 0;
    top: 0;
    border: 2px solid #ffffff;
    outline: 1px solid rgb(0 0 0 / 0.7);
    box-shadow: 0 0 0 400px rgb(0 0 0 / 0.35);
    pointer-events: none;
  }
  .stage.grab {
    cursor: grab !important;
  }
  .stage.grabbing {
    cursor: grabbing !important;
  }
`;
