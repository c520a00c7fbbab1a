// Prints, one a line and the most used first, the names of members that may be
// shortened in the bundles: those that only classes of our own know. Whoever
// stands outside of a bundle keeps the name that is written in the source:
// attributes and properties of elements, keys of answers, messages and requests,
// whatever the browser or a library calls.
//
// A name is left alone as soon as one place in the sources uses it for anything but
// a member of a class that is private, protected, or of a class that extends none, or
// a member of an interface that is not marked @outside: as text, as a key of an object
// of no such type, or on a value whose type does not say where the name comes from.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const WEB = join(dirname(fileURLToPath(import.meta.url)), "..");
const SRC = join(WEB, "src");
// Libraries whose code is in the bundles, too.
const LIBRARIES = ["lit", "lit-html"];
const SHORTEST = 3;
// What tests and benches of the built elements look at inside of them.
const WATCHED = ["awaitedValue", "beside", "colourOf", "countOf", "flush", "imageSize", "moveBy", "offload", "opacityOf", "paint", "pixels", "screen", "setSize"];

const files = (folder, ending) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending)).map((name) => join(folder, name)).sort();

const { config } = ts.readConfigFile(join(WEB, "tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, WEB);
const program = ts.createProgram(files(SRC, ".ts"), options);
const checker = program.getTypeChecker();

const uses = new Map();
const kept = new Set(WATCHED);

/** A member that nothing outside of our own classes can know of. */
function internal(declaration) {
  if (!declaration.getSourceFile().fileName.startsWith(SRC)) return false;
  // An interface is ours unless it is marked as known @outside: what is sent, stored or handed in.
  if (ts.isInterfaceDeclaration(declaration.parent) || ts.isTypeLiteralNode(declaration.parent)) return !ts.getJSDocTags(declaration.parent).concat(ts.getJSDocTags(declaration.parent.parent)).some((tag) => tag.tagName.text === "outside");
  const member = ts.isClassElement(declaration) || ts.isParameterPropertyDeclaration(declaration, declaration.parent);
  if (!member || ts.isObjectLiteralExpression(declaration.parent)) return false;
  const flags = ts.getCombinedModifierFlags(declaration);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return true;
  const owner = ts.isParameter(declaration) ? declaration.parent.parent : declaration.parent;
  return !(owner.heritageClauses ?? []).some((clause) => clause.token === ts.SyntaxKind.ExtendsKeyword);
}

function use(node, symbol = checker.getSymbolAtLocation(node)) {
  const name = node.text;
  let declarations = symbol?.declarations ?? [];
  if (declarations.length === 1 && ts.isObjectLiteralExpression(declarations[0].parent)) {
    declarations = checker.getContextualType(declarations[0].parent)?.getProperty(name)?.declarations ?? [];
  }
  if (declarations.length === 0 || !declarations.every(internal)) kept.add(name);
  uses.set(name, (uses.get(name) ?? 0) + 1);
}

function visit(node) {
  if (ts.isPropertyAccessExpression(node)) use(node.name);
  else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    if (ts.isIdentifier(name)) use(name, checker.getTypeAtLocation(node.parent).getProperty(name.text));
  } else if (ts.isStringLiteralLike(node)) kept.add(node.text);
  // In a template a property is set by its name before the value.
  if (ts.isTemplateExpression(node)) for (const { text } of [node.head, ...node.templateSpans.map((span) => span.literal)]) kept.add(/([\w$]+)=["']?$/.exec(text)?.[1]);
  const named = ts.isClassElement(node) || ts.isTypeElement(node) || ts.isObjectLiteralElement(node) || (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent));
  if (named && node.name && ts.isIdentifier(node.name)) use(node.name);
  ts.forEachChild(node, visit);
}

for (const file of program.getSourceFiles()) if (file.fileName.startsWith(SRC)) visit(file);
for (const library of LIBRARIES) {
  for (const file of files(join(WEB, "node_modules", library), ".js")) {
    if (/[/\\](development|node|node_modules)[/\\]/.test(file.slice(WEB.length + 14))) continue;
    for (const [word] of readFileSync(file, "utf8").matchAll(/[\w$]+/g)) kept.add(word);
  }
}

const names = [...uses.keys()].filter((name) => name.length >= SHORTEST && !kept.has(name));
names.sort((a, b) => uses.get(b) - uses.get(a) || (a < b ? -1 : 1));
console.log(names.join("\n"));
