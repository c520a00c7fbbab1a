import { ReactiveElement, html } from "../../kit/reactive.js";
import type { PropertyValues, TemplateResult } from "../../kit/reactive.js";
import { guard } from "lit/directives/guard.js";
import { textOn } from "../../kit/colours.js";
import { strokeOf } from "../../kit/keyboard.js";
import { defineElement } from "../element/crowd-element.js";
import { annotatedTextLook } from "./annotated-text-look.js";
import { blocksOf, laid, piecesOf } from "./layout.pure.js";
import type { Block, LaidMark, Mark, Piece } from "./layout.pure.js";
import { trimmed, wholeCharacters, wordAt } from "./offsets.pure.js";

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** What the browser calls the way of a caret, for each key. */
const WAYS: Readonly<Record<string, readonly ["left" | "right" | "forward" | "backward", string]>> = {
  arrowleft: ["left", "character"],
  arrowright: ["right", "character"],
  arrowup: ["backward", "line"],
  arrowdown: ["forward", "line"],
  "mod+arrowleft": ["left", "word"],
  "mod+arrowright": ["right", "word"],
  "alt+arrowleft": ["left", "word"],
  "alt+arrowright": ["right", "word"],
  "mod+arrowup": ["backward", "paragraph"],
  "mod+arrowdown": ["forward", "paragraph"],
  home: ["backward", "lineboundary"],
  end: ["forward", "lineboundary"],
};

const HIGHLIGHT = "fiducial-range";

/**
 * A text with marks over it, of which people select stretches by dragging or by
 * keyboard. Offsets are UTF-16 units of `text`.
 *
 * The text is cut into blocks, and the browser lays out and paints only those
 * near the window. Each bit of text knows its offset, so whatever stands
 * between the bits, such as the tags of marks, does not count.
 */
export class AnnotatedText extends ReactiveElement {
  static override properties = {
    text: { attribute: false },
    marks: { attribute: false },
    selected: { attribute: false },
    label: { attribute: false },
  };

  static override styles = annotatedTextLook;

  declare text: string;
  declare marks: readonly Mark[];
  declare selected: number | null;
  declare label: string;

  /** A stretch was selected, or none is any more. By pointer the selection is final when it is let go. */
  onRange: (range: TextRange | null, final: boolean) => void = () => {};
  onPick: (id: number | null) => void = () => {};
  onRemove: (id: number) => void = () => {};
  /** What a screen reader should say of a move. */
  onSay: (words: string) => void = () => {};

  private blocks: readonly Block[] = [];
  private lanes: readonly LaidMark[] = [];
  private anchor = 0;
  private caret = 0;
  private chosen: TextRange | null = null;
  private dragging = false;
  private byTouch = false;
  /** What was selected when the pointer went down. */
  private pressed: TextRange | null = null;

  constructor() {
    super();
    this.text = "";
    this.marks = [];
    this.selected = null;
    this.label = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("pointerup", this.onPointerUp);
    document.addEventListener("selectionchange", this.onSelectionChange);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("pointerup", this.onPointerUp);
    document.removeEventListener("selectionchange", this.onSelectionChange);
    this.choose(null);
  }

  get range(): TextRange | null {
    return this.chosen;
  }

  /** Where the caret is; new selections begin there. */
  get place(): number {
    return this.caret;
  }

  /** Selects a stretch, or with equal ends sets the caret. */
  setRange(anchor: number, caret: number, final = false): void {
    [this.anchor, this.caret] = [anchor, caret];
    const [from, to] = [this.pointOf(anchor), this.pointOf(caret)];
    if (from && to) document.getSelection()?.setBaseAndExtent(from.node, from.offset, to.node, to.offset);
    this.settle(final);
  }

  reveal(at: number): void {
    const node = this.pointOf(at)?.node;
    (node instanceof Element ? node : node?.parentElement)?.scrollIntoView({ block: "nearest" });
  }

  override focus(options?: FocusOptions): void {
    this.root?.focus(options);
  }

  private get root(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(".text");
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("text")) {
      this.blocks = blocksOf(this.text);
      this.anchor = this.caret = 0;
      this.choose(null);
    }
    if (changed.has("marks")) this.lanes = laid([...this.marks].sort((a, b) => a.start - b.start || b.end - a.end));
  }

  protected override updated(): void {
    this.showCaret();
  }

  // Selecting

  private onPointerDown(event: PointerEvent): void {
    // A finger that moves scrolls, and one that stays has the browser select a word and show its handles.
    this.byTouch = event.pointerType === "touch";
    this.dragging = event.button === 0 && !this.byTouch && !onTag(event);
    this.pressed = this.selectionNow();
  }

  private readonly onPointerUp = (): void => {
    if (!this.dragging) return;
    this.dragging = false;
    const now = this.selectionNow();
    if (now && now.start < now.end && (now.start !== this.pressed?.start || now.end !== this.pressed.end)) this.readSelection(true);
    // A click lets go of a selection only after this event.
    else setTimeout(() => this.readSelection(true), 0);
  };

  /** Selections that no pointer of ours made: by touch handles, or by the browser's own commands. */
  private readonly onSelectionChange = (): void => {
    if (this.dragging) return;
    const now = this.selectionNow();
    if (now && now.start !== now.end && (now.start !== Math.min(this.anchor, this.caret) || now.end !== Math.max(this.anchor, this.caret))) this.readSelection();
  };

  private onClick(event: MouseEvent): void {
    const tag = event.target instanceof Element ? event.target.closest<HTMLElement>(".tag") : null;
    if (tag) {
      event.stopPropagation();
      const id = Number(tag.dataset.id);
      if ((event.target as Element).closest(".drop")) this.onRemove(id);
      else this.onPick(id);
      this.focus({ preventScroll: true });
    } else if (this.byTouch) this.tap(event);
  }

  /**
   * A tap takes a mark, or a word; the next tap takes all words from there to here,
   * and one on what is selected lets go of it.
   */
  private tap({ clientX, clientY }: MouseEvent): void {
    const at = this.offsetAt(clientX, clientY);
    const before = this.chosen;
    const word = at === null ? null : wordAt(this.text, at);
    if (at !== null && this.lanes.some((mark) => mark.start <= at && at < mark.end)) {
      this.setRange(at, at);
      this.pickAt(at);
    } else if (at === null || !word || (before && before.start <= at && at < before.end)) {
      this.setRange(at ?? this.caret, at ?? this.caret);
      this.onPick(null);
    } else {
      const [start, end] = before ? [Math.min(before.start, word[0]), Math.max(before.end, word[1])] : word;
      this.setRange(start, end, true);
    }
  }

  /** The unit of the text that is drawn at a place of the window. */
  private offsetAt(x: number, y: number): number | null {
    const bit = this.renderRoot.elementFromPoint(x, y)?.closest<HTMLElement>("[data-at]");
    const node = bit && textWithin(bit);
    const range = document.createRange();
    for (let i = 0; bit && node && i < node.length; i++) {
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      const hit = [...range.getClientRects()].some((r) => r.left <= x && x < r.right && r.top <= y && y < r.bottom);
      if (hit) return Number(bit.dataset.at) + i;
    }
    return null;
  }

  private readSelection(final = false): void {
    const now = this.selectionNow();
    if (!now) return;
    const backward = document.getSelection()?.direction === "backward";
    [this.anchor, this.caret] = backward ? [now.end, now.start] : [now.start, now.end];
    this.settle(final);
    if (final && now.start === now.end) this.pickAt(now.start);
  }

  /** A click within overlapping marks takes the next of them each time. */
  private pickAt(at: number): void {
    const here = this.lanes.filter((mark) => mark.start <= at && at < mark.end).sort((a, b) => a.end - a.start - (b.end - b.start));
    const last = here.findIndex((mark) => mark.id === this.selected);
    this.onPick(here[(last + 1) % Math.max(1, here.length)]?.id ?? null);
  }

  private settle(final = false): void {
    const [low, high] = [Math.min(this.anchor, this.caret), Math.max(this.anchor, this.caret)];
    const inner = low < high ? trimmed(this.text, low, high) : null;
    if (!inner) this.choose(null, final);
    else {
      const [start, end] = wholeCharacters(this.text, ...inner);
      this.choose({ start, end }, final);
    }
    this.showCaret();
  }

  private choose(range: TextRange | null, final = false): void {
    if (!final && range?.start === this.chosen?.start && range?.end === this.chosen?.end) return;
    this.chosen = range;
    this.paintChosen();
    this.onRange(range, final);
  }

  /** The chosen stretch stays visible while the focus, and with it the browser's selection, is elsewhere. */
  private paintChosen(): void {
    if (!("highlights" in CSS)) return;
    CSS.highlights.delete(HIGHLIGHT);
    const [from, to] = this.chosen ? [this.pointOf(this.chosen.start), this.pointOf(this.chosen.end)] : [];
    if (!from || !to) return;
    CSS.highlights.set(HIGHLIGHT, new Highlight(new StaticRange({ startContainer: from.node, startOffset: from.offset, endContainer: to.node, endOffset: to.offset })));
  }

  // By keyboard

  private onKey(event: KeyboardEvent): void {
    const stroke = strokeOf(event);
    const extend = event.shiftKey;
    const plain = stroke.replace("shift+", "");
    if (plain === "mod+a") this.setRange(0, this.text.length);
    else if (plain === "mod+home" || plain === "mod+end") this.move(extend, plain === "mod+home" ? 0 : this.text.length);
    else if (plain === "pageup" || plain === "pagedown") this.movePage(extend, plain === "pageup" ? -1 : 1);
    else if (WAYS[plain]) this.moveBy(extend, ...WAYS[plain]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.tell();
  }

  private move(extend: boolean, to: number): void {
    this.setRange(extend ? this.anchor : to, to);
    this.reveal(to);
  }

  private movePage(extend: boolean, by: 1 | -1): void {
    for (let i = 0; i < 12; i++) this.moveBy(extend, by < 0 ? "backward" : "forward", "line");
  }

  private moveBy(extend: boolean, direction: string, by: string): void {
    const selection = document.getSelection();
    const now = this.selectionNow();
    const [low, high] = [Math.min(this.anchor, this.caret), Math.max(this.anchor, this.caret)];
    if (!selection) return;
    if (now?.start !== low || now.end !== high) this.setRange(this.anchor, this.caret);
    selection.modify(extend ? "extend" : "move", direction, by);
    const then = this.selectionNow();
    if (!then) {
      // It left the text by one of its ends.
      this.setRange(this.anchor, this.caret);
      return;
    }
    this.caret = !extend || then.start === this.anchor ? then.end : then.start;
    if (!extend) this.anchor = this.caret;
    this.settle();
    this.reveal(this.caret);
  }

  private tell(): void {
    const words = this.chosen ? `${this.text.slice(this.chosen.start, this.chosen.end).slice(0, 200)} selected` : (/^\S*/.exec(this.text.slice(this.caret, this.caret + 60))?.[0] ?? "");
    const over = this.lanes.filter((mark) => mark.start <= this.caret && this.caret < mark.end).map((mark) => mark.title);
    this.onSay(over.length > 0 ? `${words}, in ${over.join(", ")}` : words);
  }

  // Between offsets and places in the page

  private selectionNow(): TextRange | null {
    const selection = document.getSelection();
    const root = this.root;
    if (!selection || selection.rangeCount === 0 || !root) return null;
    const range = selection.getComposedRanges({ shadowRoots: [this.renderRoot] })[0];
    if (!range || (!root.contains(range.startContainer) && !root.contains(range.endContainer))) return null;
    const start = root.contains(range.startContainer) ? this.offsetOf(range.startContainer, range.startOffset) : 0;
    const end = root.contains(range.endContainer) ? this.offsetOf(range.endContainer, range.endOffset) : this.text.length;
    return { start, end: Math.max(start, end) };
  }

  private offsetOf(node: Node, offset: number): number {
    const bit = node instanceof Text ? node.parentElement : node;
    const before = node instanceof Text ? offset : [...node.childNodes].slice(0, offset).reduce((sum, child) => sum + (child instanceof Text ? child.length : 0), 0);
    if (bit instanceof HTMLElement && bit.dataset.at !== undefined) return Number(bit.dataset.at) + before;
    // Not within a bit of text: it is where the next bit begins.
    const walker = document.createTreeWalker(this.root ?? this.renderRoot, NodeFilter.SHOW_ELEMENT);
    const child = node.childNodes[offset];
    walker.currentNode = child ?? lastWithin(node);
    if (child instanceof HTMLElement && child.dataset.at !== undefined) return Number(child.dataset.at);
    for (let next = walker.nextNode(); next; next = walker.nextNode()) {
      const at = (next as HTMLElement).dataset.at;
      if (at !== undefined) return Number(at);
    }
    return this.text.length;
  }

  /** Where in the page a unit of the text is. */
  pointOf(at: number): { node: Node; offset: number } | null {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.blocks[middle]?.start ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    // By its place, after the caret: to search a long text for its blocks takes a while.
    const bits = this.root?.children[low + 1]?.querySelectorAll<HTMLElement>("[data-at]") ?? [];
    const bit = [...bits].findLast((b) => Number(b.dataset.at) <= at);
    const node = bit && textWithin(bit);
    if (!bit || !node) return null;
    return { node, offset: Math.min(at - Number(bit.dataset.at), node.length) };
  }

  private showCaret(): void {
    const sign = this.renderRoot.querySelector<HTMLElement>(".caret");
    const root = this.root;
    const point = this.pointOf(this.caret);
    if (!sign || !root) return;
    sign.hidden = this.chosen !== null || !point;
    if (!point || sign.hidden) return;
    const range = document.createRange();
    range.setStart(point.node, point.offset);
    const at = range.getClientRects()[0] ?? range.getBoundingClientRect();
    const frame = root.getBoundingClientRect();
    sign.style.transform = `translate(${at.left - frame.left + root.scrollLeft}px, ${at.top - frame.top + root.scrollTop}px)`;
    sign.style.height = `${at.height}px`;
  }

  // The page

  protected override render(): unknown {
    const marks = this.marksByBlock();
    return html`<div
      class="text"
      role="textbox"
      aria-readonly="true"
      aria-multiline="true"
      aria-label=${this.label}
      tabindex="0"
      @pointerdown=${(event: PointerEvent) => this.onPointerDown(event)}
      @mousedown=${(event: Event) => onTag(event) && event.preventDefault()}
      @click=${(event: MouseEvent) => this.onClick(event)}
      @keydown=${(event: KeyboardEvent) => this.onKey(event)}
      @focus=${() => this.showCaret()}
    ><div class="caret" hidden></div>${this.blocks.map((block, i) => this.block(block, marks[i] ?? []))}</div>`;
  }

  private marksByBlock(): LaidMark[][] {
    const lists: LaidMark[][] = this.blocks.map(() => []);
    let first = 0;
    for (const mark of this.lanes) {
      while ((this.blocks[first]?.end ?? Infinity) <= mark.start) first++;
      for (let i = first; (this.blocks[i]?.start ?? Infinity) < mark.end; i++) lists[i]?.push(mark);
    }
    return lists;
  }

  private block(block: Block, marks: readonly LaidMark[]): TemplateResult {
    const key = marks.map((m) => `${m.id} ${m.start} ${m.end} ${m.lane} ${m.colour} ${m.tag} ${m.title} ${m.id === this.selected}`).join();
    const lines = Math.ceil((block.end - block.start) / 80);
    return html`<div class="block" dir=${block.direction} style="contain-intrinsic-block-size: auto ${lines * 34}px">${guard([this.text, block, key], () => piecesOf(block, marks).map((piece) => this.piece(piece)))}</div>`;
  }

  private piece(piece: Piece): TemplateResult {
    const { start, end, marks, ending } = piece;
    const content = this.text.slice(start, end);
    const top = marks.at(-1);
    if (!top) return html`<span data-at=${start}>${content}</span>`;
    const on = marks.some((mark) => mark.id === this.selected);
    const lines = marks.map((m) => `linear-gradient(${m.colour}, ${m.colour}) 0 calc(100% - ${m.lane * 4}px) / 100% 3px no-repeat`).join();
    const style = `--colour: ${top.colour}; background: ${lines}, color-mix(in srgb, ${top.colour} ${on ? 50 : 22}%, transparent); padding-bottom: ${(Math.max(...marks.map((m) => m.lane)) + 1) * 4}px`;
    return html`<span data-at=${start} class="mark" style=${style}>${content}</span>${ending.map((mark) => this.tag(mark))}`;
  }

  private tag(mark: LaidMark): TemplateResult {
    const words = `${mark.title}: ${this.text.slice(mark.start, Math.min(mark.end, mark.start + 100))}`;
    return html`<span class="tag ${mark.id === this.selected ? "on" : ""}" data-id=${mark.id} style="background: ${mark.colour}; color: ${textOn(mark.colour)}"><button type="button" tabindex="-1" class="pick" title=${mark.title} aria-label=${words} aria-pressed=${mark.id === this.selected}>${mark.tag}</button><button type="button" tabindex="-1" class="drop" title="Remove" aria-label="Remove ${words}">✕</button></span>`;
  }
}

/** The tags of marks are no text: a press on one selects nothing. */
function onTag(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(".tag") !== null;
}

/** The text of a bit; beside it are marks of the template. */
function textWithin(bit: Node): Text | undefined {
  return [...bit.childNodes].find((child) => child instanceof Text);
}

function lastWithin(node: Node): Node {
  let last = node;
  while (last.lastChild) last = last.lastChild;
  return last;
}

export function defineAnnotatedText(): void {
  defineElement("fiducial-annotated-text", AnnotatedText);
}
