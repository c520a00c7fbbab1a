import type { Rect, Size } from "./geometry.js";

/** A part of a picture, at its own scale or smaller. */
export interface Pixels {
  readonly rgba: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** What part it is, in the picture's pixels. */
  readonly part: Rect;
}

/** How a browser turns a picture before a canvas gets it: clockwise, then left for right. */
interface Turn {
  readonly rotation: number;
  readonly flip: boolean;
}

/** Why a picture's pixels cannot be read: its host gives no leave, or nobody says how it is turned. */
export type Unreadable = "no leave" | "turned";

/**
 * The pixels of a picture in an <img>, as they are stored. Browsers let pages
 * read them only when the picture's host gave leave (CORS), and turn them by the
 * EXIF data first, which is undone here.
 */
export class PixelSource {
  private constructor(
    private readonly image: HTMLImageElement,
    readonly size: Size,
    private readonly turn: Turn,
  ) {}

  /** `size` is that of the stored raster. */
  static of(image: HTMLImageElement, size: Size): PixelSource | Unreadable {
    if (image.crossOrigin === null) return "no leave";
    const turn = turnOf(image, size);
    if (!turn) return "turned";
    const source = new PixelSource(image, size, turn);
    try {
      source.read({ left: 0, top: 0, width: 1, height: 1 }, 1);
      return source;
    } catch {
      return "no leave";
    }
  }

  /** A part of the picture, made smaller if it has more pixels than `most`. */
  read(part: Rect, most: number): Pixels {
    const scale = Math.min(1, Math.sqrt(most / (part.width * part.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(part.width * scale));
    canvas.height = Math.max(1, Math.round(part.height * scale));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("This browser has no 2D canvas.");
    const [sx, sy] = [canvas.width / part.width, canvas.height / part.height];
    context.setTransform(sx, 0, 0, sy, -part.left * sx, -part.top * sy);
    const { width, height } = this.size;
    const { rotation, flip } = this.turn;
    // From places of the picture as it is shown to those of the stored one.
    if (rotation === 90) context.transform(0, -1, 1, 0, 0, height);
    else if (rotation === 180) context.transform(-1, 0, 0, -1, width, height);
    else if (rotation === 270) context.transform(0, 1, -1, 0, width, 0);
    const [shownWidth, shownHeight] = rotation % 180 === 0 ? [width, height] : [height, width];
    if (flip) context.transform(-1, 0, 0, 1, shownWidth, 0);
    context.imageSmoothingQuality = "medium";
    context.drawImage(this.image, 0, 0, shownWidth, shownHeight);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { rgba: data, width: canvas.width, height: canvas.height, part };
  }
}

function turnOf(image: HTMLImageElement, size: Size): Turn | null {
  // Only a VideoFrame tells how a picture is turned, and only where the page came by a safe way.
  if (typeof VideoFrame === "function" && "rotation" in VideoFrame.prototype) {
    const frame = new VideoFrame(image, { timestamp: 0 }) as VideoFrame & { readonly rotation: number; readonly flip: boolean };
    const { rotation, flip } = frame;
    frame.close();
    return { rotation, flip };
  }
  return image.naturalWidth === size.width && image.naturalHeight === size.height ? { rotation: 0, flip: false } : null;
}
