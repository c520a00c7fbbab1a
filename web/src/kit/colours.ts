// Colours for labels: far apart in hue, alike in lightness, told apart by most
// colour-blind people for the first eight, and readable on photographs with the
// dark halo that the tools draw around them.
const PALETTE = [
  "#1f9bff", "#ff8c1a", "#2fbf71", "#f2477b", "#a879ff", "#f5c400", "#00c2c7", "#ff5c4d", "#8bc34a", "#d36bd6",
  "#6f8dff", "#d9a066", "#5fd6a4", "#ff9bb8", "#b8b042", "#7fb7d9",
] as const;

/** The colour of the n-th label; the palette repeats. */
export function labelColour(n: number): string {
  return PALETTE[((n % PALETTE.length) + PALETTE.length) % PALETTE.length] ?? PALETTE[0];
}

/** "#rrggbb" with an opacity, as a CSS colour. */
export function withAlpha(colour: string, alpha: number): string {
  const rgb = parseHex(colour);
  return rgb ? `rgb(${rgb.join(" ")} / ${alpha})` : colour;
}

/** Black or white, whichever can be read on the colour. */
export function textOn(colour: string): "#000000" | "#ffffff" {
  const rgb = parseHex(colour);
  if (!rgb) return "#000000";
  const [r, g, b] = rgb.map((v) => ((v / 255 + 0.055) / 1.055) ** 2.4) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000000" : "#ffffff";
}

/** A hexadecimal code of three or six digits, with or without "#", as "#rrggbb"; null for anything else. */
export function hexColour(text: unknown): string | null {
  const digits = typeof text === "string" ? /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1] : undefined;
  if (digits === undefined) return null;
  return `#${digits.length === 6 ? digits : [...digits].map((digit) => digit + digit).join("")}`.toLowerCase();
}

function parseHex(colour: string): [number, number, number] | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  return match ? [parseInt(match[1] ?? "", 16), parseInt(match[2] ?? "", 16), parseInt(match[3] ?? "", 16)] : null;
}
