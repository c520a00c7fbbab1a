import type { Size } from "./geometry.js";
import type { View } from "./view.js";

/** A picture that failed to load. */
export class PictureError extends Error {
  constructor(readonly url: string) {
    super("The picture could not be loaded.");
  }
}

/** From so many device pixels for one of the picture's on, people want to see the pixels. */
const PIXELS_FROM = 4;

/**
 * The picture under the shapes: an <img> that the compositor scales and moves.
 *
 * It is not drawn into a canvas, for three reasons. Its pixels are never to be
 * read: it may come without leave, and the frame has an opaque origin. The
 * compositor decodes and scales a large file off the main thread, and only as
 * far as the screen needs. And a canvas always turns pictures by their EXIF
 * data, while an <img> can show the stored raster, to which the answer's numbers
 * are applied by programs that know nothing of EXIF. Browsers grant that only
 * for pictures loaded with leave (CORS): hence the first attempt with
 * `crossorigin`. Without leave the picture is shown, and measured, turned.
 */
export class Picture {
  private small: HTMLImageElement | null = null;

  private constructor(
    readonly image: HTMLImageElement,
    /** In stored pixels, as the browser lays them out: `naturalWidth` would be the turned one. */
    readonly size: Size,
  ) {}

  static async load(url: string, root: HTMLElement): Promise<Picture> {
    const image = await loadImage(url, root);
    return new Picture(image, { width: image.offsetWidth || image.naturalWidth, height: image.offsetHeight || image.naturalHeight });
  }

  /** Another <img> of the same file, loaded the same way: it comes from where the first one is kept. */
  get thumbnail(): HTMLImageElement {
    if (!this.small) {
      this.small = this.image.cloneNode() as HTMLImageElement;
      this.small.className = "";
      this.small.removeAttribute("style");
    }
    return this.small;
  }

  show(): void {
    this.image.style.visibility = "visible";
  }

  place(view: View, ratio: number): void {
    const { style } = this.image;
    style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    const rendering = view.scale * ratio >= PIXELS_FROM ? "pixelated" : "auto";
    if (style.imageRendering !== rendering) style.imageRendering = rendering;
  }

  setFilter(filter: string): void {
    this.image.style.filter = filter;
  }

  dispose(): void {
    this.image.remove();
  }
}

async function loadImage(url: string, root: HTMLElement): Promise<HTMLImageElement> {
  try {
    return await tryImage(url, root, true);
  } catch {
    return await tryImage(url, root, false);
  }
}

async function tryImage(url: string, root: HTMLElement, withLeave: boolean): Promise<HTMLImageElement> {
  const image = document.createElement("img");
  // Where media open only in the worker's own browser, the request must show its cookie.
  if (withLeave) image.crossOrigin = document.documentElement.dataset.media === "credentials" ? "use-credentials" : "anonymous";
  image.alt = "";
  image.draggable = false;
  image.decoding = "async";
  image.className = "picture";
  root.prepend(image);
  try {
    await new Promise<void>((resolve, reject) => {
      image.addEventListener("load", () => resolve(), { once: true });
      image.addEventListener("error", () => reject(new PictureError(url)), { once: true });
      image.src = url;
    });
    if (image.naturalWidth === 0 || image.naturalHeight === 0) throw new PictureError(url);
    return image;
  } catch (error) {
    image.remove();
    throw error;
  }
}
