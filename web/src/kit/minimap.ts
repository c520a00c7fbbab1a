import { clamp } from "./geometry.js";
import type { Point } from "./geometry.js";
import type { Stage } from "./stage.js";
import { visibleRect } from "./view.js";

const SIDE = 168;

/**
 * The whole picture, small, in the stage's corner, with a frame around what the
 * stage shows. It is there while part of the picture is out of sight; a press or
 * drag on it brings that place to the middle.
 */
export class Minimap {
  private readonly root = document.createElement("div");
  private readonly frame = document.createElement("div");
  private image: HTMLImageElement | null = null;
  private wanted = true;

  constructor(private readonly stage: Stage) {
    this.root.className = "minimap";
    this.root.hidden = true;
    // Arrow keys do the same.
    this.root.ariaHidden = "true";
    this.root.append(this.frame);
    this.root.addEventListener("pointerdown", (event) => this.press(event));
    this.root.addEventListener("pointermove", (event) => this.move(event));
    this.root.addEventListener("dblclick", (event) => event.stopPropagation());
    stage.root.append(this.root);
  }

  toggle(): void {
    this.wanted = !this.wanted;
    this.refresh();
  }

  refresh(): void {
    const { imageSize: image, screen, view } = this.stage;
    const seen = visibleRect(view, screen);
    const whole = seen.left <= 0 && seen.top <= 0 && seen.left + seen.width >= image.width && seen.top + seen.height >= image.height;
    this.root.hidden = whole || !this.wanted || !this.stage.ready || screen.width < 3 * SIDE;
    if (this.root.hidden) return;
    this.showPicture();
    const scale = this.scale;
    const left = clamp(seen.left, 0, image.width);
    const top = clamp(seen.top, 0, image.height);
    const { style } = this.frame;
    style.width = `${Math.max(4, (clamp(seen.left + seen.width, 0, image.width) - left) * scale)}px`;
    style.height = `${Math.max(4, (clamp(seen.top + seen.height, 0, image.height) - top) * scale)}px`;
    style.transform = `translate(${left * scale}px, ${top * scale}px)`;
  }

  private get scale(): number {
    const { width, height } = this.stage.imageSize;
    return SIDE / Math.max(1, width, height);
  }

  /** A second <img> of the same address: the browser has it already, and asks nobody. */
  private showPicture(): void {
    const image = this.stage.thumbnail;
    if (image === this.image) return;
    this.image?.remove();
    this.image = image;
    if (!image) return;
    const { width, height } = this.stage.imageSize;
    this.root.style.width = image.style.width = `${Math.round(width * this.scale)}px`;
    this.root.style.height = image.style.height = `${Math.round(height * this.scale)}px`;
    this.root.prepend(image);
  }

  private press(event: PointerEvent): void {
    event.stopPropagation();
    this.root.setPointerCapture(event.pointerId);
    this.go(event);
  }

  private move(event: PointerEvent): void {
    event.stopPropagation();
    if (this.root.hasPointerCapture(event.pointerId)) this.go(event);
  }

  private go(event: PointerEvent): void {
    const box = this.root.getBoundingClientRect();
    const to: Point = { x: (event.clientX - box.left) / this.scale, y: (event.clientY - box.top) / this.scale };
    const { view, screen } = this.stage;
    this.stage.pan(screen.width / 2 - (view.x + to.x * view.scale), screen.height / 2 - (view.y + to.y * view.scale));
  }
}
