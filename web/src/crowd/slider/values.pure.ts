// The values of a slider's scale.

export interface Scale {
  readonly min: number;
  readonly max: number;
  /** Zero or less, or no number, means that any value will do. */
  readonly step: number;
}

/** The value of the scale that is nearest; the lowest one for what is no number. */
export function settle(value: number, { min, max, step }: Scale): number {
  if (!Number.isFinite(value)) return min;
  const within = Math.min(Math.max(value, min), max);
  if (!(step > 0)) return within;
  const steps = Math.min(Math.round((within - min) / step), Math.floor((max - min) / step + 1e-9));
  // Without the crumbs of binary fractions: 0.1 * 3 is 0.3.
  return Number((min + steps * step).toFixed(Math.min(digits(step) + digits(min), 100)));
}

function digits(value: number): number {
  const [mantissa = "", exponent = "0"] = String(value).toLowerCase().split("e");
  return Math.max(0, (mantissa.split(".")[1] ?? "").length - Number(exponent));
}

/** Where on the scale a value lies, from 0 to 1. */
export function fraction(value: number, { min, max }: Scale): number {
  if (!Number.isFinite(value) || !(max > min)) return 0;
  return Math.min(Math.max((value - min) / (max - min), 0), 1);
}
