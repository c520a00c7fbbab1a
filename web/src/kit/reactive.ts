// Custom elements with reactive properties that render templates of lit-html: of
// what lit's own base class does, the part that our elements use, in its words. With
// decorators, style sheets for old browsers and the rest it is two kilobytes more.

import { render } from "lit/html.js";

export { html, nothing, render, svg } from "lit/html.js";
export type { TemplateResult } from "lit/html.js";

/** A style sheet, made once for all elements that use it. */
export class Css {
  private sheet: CSSStyleSheet | null = null;

  constructor(private readonly text: string) {}

  get styleSheet(): CSSStyleSheet {
    if (!this.sheet) {
      this.sheet = new CSSStyleSheet();
      this.sheet.replaceSync(this.text);
    }
    return this.sheet;
  }

  toString(): string {
    return this.text;
  }
}

/** A style sheet from text; what stands in it may be others, or numbers. */
export function css(strings: readonly string[], ...others: readonly (Css | number)[]): Css {
  return new Css(strings.reduce((text, part, i) => text + String(others[i - 1]) + part));
}

type FromAttribute<T> = (text: string | null) => T;

/** How a property is bound to an attribute. */
export interface PropertyDeclaration<T = unknown> {
  /** Its name, where it is not the property's in lower case; false for none. */
  readonly attribute?: string | boolean;
  /** A property of the element itself, without an attribute. */
  readonly state?: boolean;
  readonly type?: typeof String | typeof Number | typeof Boolean;
  readonly converter?: FromAttribute<T> | { readonly fromAttribute?: FromAttribute<T>; toAttribute?(value: T): string | null };
  /** Whether the attribute follows the property. */
  readonly reflect?: boolean;
}

/** The properties that have changed, with what they were. */
export type PropertyValues = Map<string, unknown>;

/** Something that lives as long as its element is in a document. */
export interface ReactiveController {
  hostConnected(): void;
  hostDisconnected(): void;
}

interface Known {
  readonly properties: Map<string, PropertyDeclaration>;
  /** Properties by their attributes. */
  readonly attributes: Map<string, string>;
}

const known = new WeakMap<typeof ReactiveElement, Known>();

/** The properties of a class and those it inherits; a class that is new gets its accessors. */
function knownOf(type: typeof ReactiveElement): Known {
  const found = known.get(type);
  if (found) return found;
  const properties = new Map(type === ReactiveElement ? [] : knownOf(Object.getPrototypeOf(type) as typeof ReactiveElement).properties);
  for (const [name, declaration] of Object.hasOwn(type, "properties") ? Object.entries(type.properties) : []) {
    properties.set(name, declaration);
    // One that the class has written out tells of changes itself.
    if (!Object.hasOwn(type.prototype, name)) defineAccessor(type.prototype, name);
  }
  const attributes = new Map<string, string>();
  for (const [name, declaration] of properties) {
    const attribute = attributeOf(name, declaration);
    if (attribute !== null) attributes.set(attribute, name);
  }
  const made = { properties, attributes };
  known.set(type, made);
  return made;
}

function attributeOf(name: string, { attribute, state }: PropertyDeclaration): string | null {
  return attribute === false || state ? null : typeof attribute === "string" ? attribute : name.toLowerCase();
}

function defineAccessor(prototype: object, name: string): void {
  const key = Symbol(name);
  Object.defineProperty(prototype, name, {
    get(this: Record<symbol, unknown>) {
      return this[key];
    },
    set(this: ReactiveElement & Record<symbol, unknown>, value: unknown) {
      const old = this[key];
      this[key] = value;
      this.requestUpdate(name, old);
    },
    configurable: true,
    enumerable: true,
  });
}

function fromAttribute({ converter, type }: PropertyDeclaration, text: string | null): unknown {
  const convert = typeof converter === "function" ? converter : converter?.fromAttribute;
  if (convert) return convert(text);
  if (type === Boolean) return text !== null;
  return type === Number && text !== null ? Number(text) : text;
}

function toAttribute({ converter, type }: PropertyDeclaration, value: unknown): string | null {
  if (typeof converter === "object" && converter.toAttribute) return converter.toAttribute(value);
  if (type === Boolean) return value ? "" : null;
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

export abstract class ReactiveElement extends HTMLElement {
  static properties: Record<string, PropertyDeclaration> = {};
  static styles: Css | readonly Css[] = [];

  static get observedAttributes(): string[] {
    return [...knownOf(this).attributes.keys()];
  }

  /** Whether a rendering is to come. */
  isUpdatePending = false;
  hasUpdated = false;
  readonly renderRoot: ShadowRoot;
  #changes: PropertyValues = new Map();
  readonly #controllers: ReactiveController[] = [];
  /** What was set on the element before its class was known; it wins over what the class sets. */
  readonly #early: [string, unknown][] = [];
  readonly #reflected = new Set<string>();
  /** The property whose attribute is just being read or written. */
  #crossing: string | null = null;
  #coming: Promise<unknown>;
  #release: () => void = () => {};

  constructor() {
    super();
    // Nothing is rendered before the element is in a document.
    this.#coming = new Promise<void>((resolve) => (this.#release = resolve));
    const own = this as unknown as Record<string, unknown>;
    for (const name of this.#known.properties.keys()) {
      if (!Object.hasOwn(this, name)) continue;
      this.#early.push([name, own[name]]);
      delete own[name];
    }
    this.renderRoot = this.attachShadow({ mode: "open" });
    this.renderRoot.adoptedStyleSheets = [(this.constructor as typeof ReactiveElement).styles].flat().map((sheet) => sheet.styleSheet);
    this.requestUpdate();
  }

  get #known(): Known {
    return knownOf(this.constructor as typeof ReactiveElement);
  }

  /** What the element shows. */
  protected abstract render(): unknown;

  protected willUpdate(_changed: PropertyValues): void {}

  protected firstUpdated(_changed: PropertyValues): void {}

  protected updated(_changed: PropertyValues): void {}

  addController(controller: ReactiveController): void {
    this.#controllers.push(controller);
    if (this.isConnected) controller.hostConnected();
  }

  connectedCallback(): void {
    this.#release();
    for (const controller of this.#controllers) controller.hostConnected();
  }

  disconnectedCallback(): void {
    for (const controller of this.#controllers) controller.hostDisconnected();
  }

  attributeChangedCallback(attribute: string, _old: string | null, text: string | null): void {
    const { attributes, properties } = this.#known;
    const name = attributes.get(attribute);
    if (name === undefined || this.#crossing === name) return;
    this.#crossing = name;
    (this as unknown as Record<string, unknown>)[name] = fromAttribute(properties.get(name) ?? {}, text);
    this.#crossing = null;
  }

  /** Settles when what has changed so far is shown; true unless that changed something again. */
  get updateComplete(): Promise<boolean> {
    return this.#coming.then(() => !this.isUpdatePending);
  }

  /** Renders anew, after this turn. With a name: if that property is not what it was. */
  requestUpdate(name?: string, old?: unknown): void {
    if (name !== undefined) {
      if (Object.is((this as unknown as Record<string, unknown>)[name], old)) return;
      if (!this.#changes.has(name)) this.#changes.set(name, this.hasUpdated ? old : undefined);
      if (this.#crossing !== name && this.#known.properties.get(name)?.reflect) this.#reflected.add(name);
    }
    if (this.isUpdatePending) return;
    this.isUpdatePending = true;
    // A failure is told by the rendering that failed, and keeps none that follows.
    this.#coming = this.#coming.catch(() => undefined).then(() => this.#update());
  }

  #update(): void {
    for (const [name, value] of this.#early.splice(0)) (this as unknown as Record<string, unknown>)[name] = value;
    const changed = this.#changes;
    try {
      this.willUpdate(changed);
      const shown = this.render();
      this.#reflect();
      this.#settle();
      render(shown, this.renderRoot, { host: this });
    } catch (error) {
      this.#settle();
      throw error;
    }
    const first = !this.hasUpdated;
    this.hasUpdated = true;
    if (first) this.firstUpdated(changed);
    this.updated(changed);
  }

  #settle(): void {
    this.#changes = new Map();
    this.isUpdatePending = false;
  }

  #reflect(): void {
    for (const name of this.#reflected) {
      const declaration = this.#known.properties.get(name) ?? {};
      const text = toAttribute(declaration, (this as unknown as Record<string, unknown>)[name]);
      const attribute = attributeOf(name, declaration) ?? name;
      this.#crossing = name;
      if (text === null) this.removeAttribute(attribute);
      else this.setAttribute(attribute, text);
      this.#crossing = null;
    }
    this.#reflected.clear();
  }
}
