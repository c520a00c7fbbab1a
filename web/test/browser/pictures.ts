import { deflateSync } from "node:zlib";
import type { BrowserContext } from "playwright-core";

/** A PNG made here: a gradient with a grid, so that one sees where one is. */
export function png(width: number, height: number): Buffer {
  return scenePng(width, height, (x, y) => {
    const line = x % 100 === 0 || y % 100 === 0;
    return line ? [255, 255, 255] : [Math.floor((x / width) * 160) + 30, Math.floor((y / height) * 160) + 40, 120 + (((x >> 5) + (y >> 5)) % 2) * 18];
  });
}

/** A red disc of radius 70 around 120, 130 on a ground of blue and green squares, a little uneven. */
function disc(x: number, y: number): readonly number[] {
  const uneven = ((x * 7919 + y * 104729) % 13) - 6;
  const colour = Math.hypot(x - 120, y - 130) < 70 ? [200, 60, 50] : ((x >> 5) + (y >> 5)) % 2 === 0 ? [70, 90, 160] : [60, 120, 80];
  return colour.map((v) => v + uneven);
}

/** A PNG of true colour from a function of place. */
export function scenePng(width: number, height: number, colour: (x: number, y: number) => readonly number[] = disc): Buffer {
  const row = width * 3 + 1;
  const raw = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) raw.set(colour(x, y), y * row + 1 + x * 3);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", deflateSync(raw, { level: 6 })), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

function crc(data: Buffer): number {
  let c = 0xffffffff;
  for (const byte of data) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}

/** A grey JPEG of 24 by 8 pixels whose EXIF data says "turn by 90 degrees". */
export function turnedJpeg(): { bytes: Buffer; width: number; height: number } {
  const plain = Buffer.from("/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABhY3NwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAABUAAAABRyVFJDAAABZAAAAChnVFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAAAAgAAAAcAHMAUgBHAEJYWVogAAAAAAAAb6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9YWVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQAAAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAMZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAgADIAMAAxADb/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////////wAARCAAIABgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAH/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AKAAAD//2Q==", "base64");
  return { bytes: turned(plain), width: 24, height: 8 };
}

/** A JPEG to which EXIF data is added that says "turn by 90 degrees". */
export function turned(plain: Buffer): Buffer {
  // APP1: "Exif", a little-endian TIFF with one entry, Orientation (0x0112) = 6.
  const exif = Buffer.from("4578696600004949" + "2a00080000000100" + "1201030001000000" + "0600000000000000", "hex");
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([plain.subarray(0, 2), head, exif, plain.subarray(2)]);
}

/** A JPEG of 240 by 160 pixels whose quarters are red, green, blue and white. */
export async function fourColours(context: BrowserContext): Promise<Buffer> {
  const page = await context.newPage();
  const url = (await page.evaluate(`(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [240, 160];
    const context = canvas.getContext("2d");
    ["red", "lime", "blue", "white"].forEach((colour, i) => { context.fillStyle = colour; context.fillRect((i % 2) * 120, i > 1 ? 80 : 0, 120, 80); });
    return canvas.toDataURL("image/jpeg", 0.95);
  })()`)) as string;
  await page.close();
  return Buffer.from(url.split(",")[1] ?? "", "base64");
}
