// How a long text is cut into blocks that the browser may lay out one by one,
// and each block into pieces that have the same marks.

export interface Mark {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly colour: string;
  /** A few letters that stand behind the marked text. */
  readonly tag: string;
  /** The whole name, for the tip and for screen readers. */
  readonly title: string;
}

/** A mark with the line below the text that it has for itself where marks overlap. */
export interface LaidMark extends Mark {
  readonly lane: number;
}

export interface Block {
  readonly start: number;
  readonly end: number;
  readonly direction: "ltr" | "rtl";
}

export interface Piece {
  readonly start: number;
  readonly end: number;
  /** The marks over the piece, the shortest last. */
  readonly marks: readonly LaidMark[];
  /** The marks that end here. */
  readonly ending: readonly LaidMark[];
}

const BLOCK = 3000;
const STRONG = /[\p{L}\p{Nl}]/u;
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Blocks of whole lines that run the same way. The way is set on the block, for
 * the arrow keys follow that and not the text. A line too long for a block ends
 * its block at a space.
 */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let start = 0;
  let direction: Block["direction"] = "ltr";
  const close = (end: number): void => {
    if (end > start) blocks.push({ start, end, direction });
    start = end;
  };
  for (let line = 0; line < text.length; ) {
    const end = text.indexOf("\n", line) + 1 || text.length;
    const way: Block["direction"] = directionOf(text.slice(line, Math.min(end, line + 400))) ?? direction;
    if (way !== direction || end - start > BLOCK) close(line);
    direction = way;
    while (end - start > 2 * BLOCK) close(breakNear(text, start + BLOCK));
    line = end;
  }
  close(text.length);
  return blocks;
}

/** The way of a line is that of its first letter; one without letters goes on as the line before. */
function directionOf(line: string): Block["direction"] | null {
  const letter = STRONG.exec(line)?.[0];
  return letter === undefined ? null : RTL.test(letter) ? "rtl" : "ltr";
}

function breakNear(text: string, at: number): number {
  const space = text.lastIndexOf(" ", at);
  if (space > at - BLOCK / 2) return space + 1;
  return /[\udc00-\udfff]/.test(text.charAt(at)) ? at + 1 : at;
}

/** Gives each mark the first line that is free from its start on. Takes them sorted by start. */
export function laid(marks: readonly Mark[]): readonly LaidMark[] {
  const freeFrom: number[] = [];
  return marks.map((mark) => {
    let lane = freeFrom.findIndex((end) => end <= mark.start);
    if (lane < 0) lane = freeFrom.length;
    freeFrom[lane] = mark.end;
    return { ...mark, lane };
  });
}

/** The pieces of one block. Marks are those that touch it. */
export function piecesOf(block: Block, marks: readonly LaidMark[]): readonly Piece[] {
  const cuts = new Set([block.start, block.end]);
  for (const mark of marks) {
    for (const at of [mark.start, mark.end]) if (at > block.start && at < block.end) cuts.add(at);
  }
  const edges = [...cuts].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const [start, end] = [edges[i] ?? 0, edges[i + 1] ?? 0];
    const over = marks.filter((mark) => mark.start <= start && mark.end >= end).sort((a, b) => b.end - b.start - (a.end - a.start));
    pieces.push({ start, end, marks: over, ending: over.filter((mark) => mark.end === end).reverse() });
  }
  return pieces;
}
