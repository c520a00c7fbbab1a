type Listener = (url: string) => void;

/**
 * The place where media that would not load are reported. Errors of <img>,
 * <audio>, <video> and <source> in the template are heard on the window;
 * elements that load within their own shadow tree report here.
 */
class MediaReports {
  private readonly listeners = new Set<Listener>();
  private readonly failed = new Set<string>();

  report(url: string): void {
    if (url === "" || this.failed.has(url)) return;
    this.failed.add(url);
    for (const listener of this.listeners) listener(url);
  }

  /** Also tells of what failed before anyone listened. */
  listen(listener: Listener): void {
    this.listeners.add(listener);
    for (const url of this.failed) listener(url);
  }

  watch(target: Window): void {
    target.addEventListener("error", (event) => this.heard(event), true);
  }

  private heard(event: Event): void {
    const target = event.target;
    if (target instanceof HTMLImageElement || target instanceof HTMLMediaElement) this.report(target.currentSrc || target.src);
    else if (target instanceof HTMLSourceElement && target === target.parentElement?.querySelector("source:last-of-type")) this.report(target.src);
  }
}

export const mediaReports = new MediaReports();
