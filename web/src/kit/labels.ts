import { labelColour } from "./colours.js";

/** The labels of a task: which one is in hand, which are shown, how strongly, and in what colour. */
export class Labels {
  private list: readonly string[] = [];
  private held = "";
  private colours: readonly string[] = [];
  private places = new Map<string, number>();
  private readonly unseen = new Set<string>();
  private readonly opacities = new Map<string, number>();

  onChange: () => void = () => {};

  get names(): readonly string[] {
    return this.list;
  }

  /** The label that what is drawn next will get; empty without labels. */
  get active(): string {
    return this.held;
  }

  get someHidden(): boolean {
    return this.unseen.size > 0;
  }

  /** What has a label that is gone keeps it: the author's script may bring the label back. */
  set(names: readonly string[]): void {
    this.list = names;
    this.places = new Map(names.map((name, i) => [name, i]));
    if (!this.places.has(this.held)) this.held = names[0] ?? "";
    this.onChange();
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  choose(name: string): void {
    if (!this.has(name)) return;
    this.held = name;
    this.onChange();
  }

  /** Colours for the first labels, by place; an empty one leaves the palette's. */
  setColours(colours: readonly string[]): void {
    this.colours = colours;
    this.onChange();
  }

  colourOf(name: string): string {
    const place = this.places.get(name);
    return place === undefined ? "#c7ccd4" : this.colours[place] || labelColour(place);
  }

  isHidden(name: string): boolean {
    return this.unseen.has(name);
  }

  setHidden(name: string, hidden: boolean): void {
    if (hidden) this.unseen.add(name);
    else this.unseen.delete(name);
    this.onChange();
  }

  /** From 0, which still leaves a hint, to 1. */
  opacityOf(name: string): number {
    return this.opacities.get(name) ?? 1;
  }

  setOpacity(name: string, opacity: number): void {
    this.opacities.set(name, Math.min(1, Math.max(0.05, opacity)));
    this.onChange();
  }
}
