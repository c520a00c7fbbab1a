import { isRecord } from "../../kit/record.js";

/** What the worker finds of one key and its value. */
export interface Pair {
  /** The block of the key; null for a key that was not detected. */
  readonly keyBlock: Block | null;
  readonly valueBlock: Block | null;
  /** The words from the template's `keys`, for a key that was not detected. */
  readonly aliases: readonly string[];
  readonly key: string;
  readonly value: string;
  /** It is a pair; for a key that was not detected: the document has it. */
  readonly holds: boolean;
  readonly blank: boolean;
}

interface Block {
  readonly blockType: string;
  readonly id: string;
  readonly relationships: readonly { readonly type: string; readonly ids: readonly string[] }[];
  readonly entityTypes: readonly string[];
  readonly text: string;
  readonly outline: readonly (readonly [number, number])[];
}

export interface BlockAnswer {
  readonly blockType: string;
  readonly id: string;
  readonly relationships: Block["relationships"];
  readonly entityTypes: readonly string[];
  readonly text: string;
}

/** Reads the blocks of an analysis, and the keys that matter, into pairs to review. */
export function readPairs(blocks: unknown, keys: unknown): readonly Pair[] {
  const all = new Map(list(blocks).flatMap((entry) => readBlock(entry)).map((block) => [block.id, block]));
  const pairs: Pair[] = [];
  for (const block of all.values()) {
    if (block.blockType !== "KEY_VALUE_SET" || !block.entityTypes.includes("KEY")) continue;
    const valueBlock = related(block, "VALUE").map((id) => all.get(id)).find((b) => b !== undefined) ?? null;
    const value = valueBlock ? textOf(valueBlock, all) : "";
    pairs.push({ keyBlock: block, valueBlock, aliases: [], key: textOf(block, all), value, holds: true, blank: value === "" });
  }
  for (const entry of list(keys)) {
    const key = isRecord(entry) ? entry.importantFormKey : entry;
    if (typeof key !== "string") continue;
    const aliases = isRecord(entry) ? list(entry.importantFormKeyAliases).filter((a) => typeof a === "string") : [];
    if (!pairs.some((pair) => [key, ...aliases].some((name) => same(name, pair.key)))) pairs.push({ keyBlock: null, valueBlock: null, aliases, key, value: "", holds: true, blank: false });
  }
  return pairs;
}

/** The blocks of the pairs that hold, as Textract's own, with the texts as corrected. */
export function blocksOf(pairs: readonly Pair[], newId: (n: number) => string): readonly BlockAnswer[] {
  return pairs.flatMap((pair, n) => {
    if (!pair.holds) return [];
    const valueId = pair.valueBlock?.id ?? `${newId(n)}-value`;
    const relationships = pair.keyBlock?.relationships ?? [{ type: "VALUE", ids: [valueId] }];
    const key = { blockType: "KEY_VALUE_SET", id: pair.keyBlock?.id ?? newId(n), relationships, entityTypes: ["KEY"], text: pair.key };
    return [key, { blockType: "KEY_VALUE_SET", id: valueId, relationships: pair.valueBlock?.relationships ?? [], entityTypes: ["VALUE"], text: pair.blank ? "" : pair.value }];
  });
}

/** Lays an earlier answer over the pairs. */
export function restorePairs(pairs: readonly Pair[], value: unknown): readonly Pair[] | null {
  if (!isRecord(value) || !Array.isArray(value.blocks)) return null;
  const given = list(value.blocks).flatMap((entry) => readBlock(entry));
  return pairs.map((pair) => {
    const key = given.find((b) => (pair.keyBlock ? b.id === pair.keyBlock.id : b.entityTypes.includes("KEY") && b.text === pair.key));
    if (!key) return { ...pair, holds: false };
    const text = given.find((b) => related(key, "VALUE").includes(b.id))?.text ?? pair.value;
    return { ...pair, holds: true, key: key.text, value: text, blank: text === "" };
  });
}

function readBlock(entry: unknown): Block[] {
  if (!isRecord(entry) || typeof entry.id !== "string") return [];
  const strings = (value: unknown): string[] => list(value).filter((item) => typeof item === "string");
  const relationships = list(entry.relationships).filter((r) => isRecord(r)).map((r) => ({ type: String(r.type), ids: strings(r.ids) }));
  return [{ blockType: String(entry.blockType), id: entry.id, relationships, entityTypes: strings(entry.entityTypes), text: typeof entry.text === "string" ? entry.text : "", outline: outlineOf(entry.geometry) }];
}

/** The polygon of a block, or the corners of its box, in parts of the page. */
function outlineOf(geometry: unknown): Block["outline"] {
  if (!isRecord(geometry)) return [];
  const corners = list(geometry.polygon).filter((p) => isRecord(p)).map((p): [number, number] => [Number(p.x), Number(p.y)]);
  const box = geometry.boundingBox;
  if (corners.length > 2 && corners.flat().every(Number.isFinite)) return corners;
  if (!isRecord(box)) return [];
  const [x, y, w, h] = [Number(box.left), Number(box.top), Number(box.width), Number(box.height)];
  return [x, y, w, h].every(Number.isFinite) ? [[x, y], [x + w, y], [x + w, y + h], [x, y + h]] : [];
}

/** A block's own text, or that of the words below it. */
function textOf(block: Block, all: ReadonlyMap<string, Block>): string {
  return block.text || related(block, "CHILD").map((id) => all.get(id)?.text ?? "").filter((word) => word !== "").join(" ");
}

function related(block: Block, type: string): readonly string[] {
  return block.relationships.filter((r) => r.type === type).flatMap((r) => r.ids);
}

function same(a: string, b: string): boolean {
  const bare = (text: string): string => text.trim().replace(/:$/, "").toLowerCase();
  return bare(a) === bare(b);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
