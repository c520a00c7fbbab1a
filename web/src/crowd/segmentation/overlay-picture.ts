import type { Size } from "../../kit/geometry.js";
import type { ColourKey } from "./segments.pure.js";

/** So many rows are looked at at once: a whole large picture would take four times its size in memory. */
const STRIP = 256;

/**
 * Reads a picture of segments: gives the value at each place of a map of the
 * given size. A picture of another size is stretched, without mixing colours.
 */
export async function readSegments(url: string, size: Size, key: ColourKey): Promise<(x: number, y: number) => number> {
  const image = new Image();
  image.crossOrigin = document.documentElement.dataset.media === "credentials" ? "use-credentials" : "anonymous";
  image.src = url;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const values = new Uint16Array(width * height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, Math.min(STRIP, height)];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser has no 2D canvas.");
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(image, 0, top, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    for (let i = 0; i < width * rows; i++) values[top * width + i] = key.valueOf(data[4 * i] as number, data[4 * i + 1] as number, data[4 * i + 2] as number, data[4 * i + 3] as number);
  }
  return (x, y) => values[Math.floor(((y + 0.5) * height) / size.height) * width + Math.floor(((x + 0.5) * width) / size.width)] as number;
}
