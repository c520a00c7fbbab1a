/** The time left, as people read a clock: "3 days", "1:02:03", "9:05", "0:00". */
export function clockText(ms: number): string {
  if (ms >= 2 * 86_400_000) return `${Math.floor(ms / 86_400_000)} days`;
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const SPOKEN_MS = [600_000, 300_000, 60_000, 15_000];

/** What to say aloud when the time left has passed from `before` to `after`, or nothing. */
export function spokenAt(before: number, after: number): string {
  const passed = SPOKEN_MS.find((mark) => before > mark && after <= mark);
  if (passed === undefined) return "";
  return passed >= 60_000 ? `${passed / 60_000} ${passed === 60_000 ? "minute" : "minutes"} left` : `${passed / 1000} seconds left`;
}

/** Counts down to the end of a lease, on the server's clock. */
export class Countdown {
  private end = NaN;
  private last = Infinity;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** `left` in milliseconds, every second. */
  onTick: (left: number, say: string) => void = () => {};
  onEnd: () => void = () => {};

  constructor(private readonly skew: () => number) {}

  /** Starts towards an instant in RFC 3339; an empty or unreadable one stops it. */
  start(expiresAt: string): void {
    clearInterval(this.timer);
    this.end = Date.parse(expiresAt);
    this.last = Infinity;
    if (!Number.isFinite(this.end)) return;
    this.tick();
    this.timer = setInterval(() => this.tick(), 500);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const left = this.end - Date.now() - this.skew();
    const say = Number.isFinite(this.last) ? spokenAt(this.last, left) : "";
    this.last = left;
    this.onTick(left, say);
    if (left > 0) return;
    this.stop();
    this.onEnd();
  }
}
