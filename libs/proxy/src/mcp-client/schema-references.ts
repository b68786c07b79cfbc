import { isObject, type JsonObject } from '@haldir/mcp';
import { MAX_DEFINITION_CHARS, UnfitDefinition } from './mcp-client.errors.js';
import { IN_PLACE, SCHEMA_KEYWORDS, type SchemaUse } from './schema-keywords.js';

/** A part of a schema that references by a name of its own begin at. */
interface Resource {
  node: JsonObject;
  anchors: Map<string, JsonObject>;
}

interface Place {
  /** JSON pointer from the root. */
  at: string;
  resource: Resource;
}

/** Where a reference leads. */
interface ReferredPart {
  node: unknown;
  at: string;
}

const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef'] as const;
const NAMES_OF_PARTS = ['$id', 'id', '$anchor', '$dynamicAnchor', '$recursiveAnchor'] as const;
/** Parts of a schema once each reference is replaced by what it means, as many clients do. */
const MAX_UNFOLDED = 50_000;
/** The same where only what has no references itself takes their place, as compilers do; each part costs a client half a millisecond. */
const MAX_COMPILED = 8_000;
/** Steps from one part to the next, references among them: compilers, and we, take each with a stack of its own. */
const MAX_STEPS: Record<SchemaUse, number> = { arguments: 1_000, results: 200 };

/** What the references of a schema mean. Made of one that is read and repaired. */
export class SchemaReferences {
  private readonly places = new Map<JsonObject, Place>();
  private readonly resources = new Map<string, Resource>();
  private readonly found = new Map<JsonObject, ReferredPart[]>();
  private hasNames = false;

  /** @param idKey the keyword that names a part: `id` until draft-04 */
  constructor(
    private readonly root: JsonObject,
    private readonly idKey: '$id' | 'id',
    private readonly use: SchemaUse,
  ) {
    this.collect(root, '', { node: root, anchors: new Map() });
  }

  /** @throws UnfitDefinition when one leads nowhere, in circles, or all together to too much */
  check(): void {
    for (const [node, { resource }] of this.places) {
      const keywords = REFERENCES.filter((keyword) => node[keyword] !== undefined);
      if (keywords.length === 0) continue;
      this.found.set(
        node,
        keywords.map((keyword) => this.target(String(node[keyword]), resource)),
      );
      const isDynamic = keywords.some((keyword) => keyword !== '$ref');
      if (this.use === 'results' && isDynamic && (this.resources.size > 1 || keywords.length > 1))
        throw new UnfitDefinition('has dynamic references between parts with names of their own');
    }
    if (this.found.size === 0) return;
    this.findCircle();
    if (this.weigh(this.root, new Map(), 0) > MAX_UNFOLDED)
      throw new UnfitDefinition(`has more than ${MAX_UNFOLDED} parts once its references are followed`);
    if (this.use === 'results' && this.compiledSize() > MAX_COMPILED)
      throw new UnfitDefinition(`has more than ${MAX_COMPILED} parts once it is compiled`);
  }

  /**
   * The schema with references by place only: names of its parts are known to all of a client's schemas together, where those of
   * two tools may be the same.
   *
   * @throws UnfitDefinition when places are so much longer than names that they are too long together
   */
  plain(): JsonObject {
    if (!this.hasNames) return this.root;
    const fragments = this.fragments();
    for (const [node] of this.places) {
      for (const keyword of [...REFERENCES, ...NAMES_OF_PARTS]) delete node[keyword];
      const fragment = fragments.get(node);
      if (fragment !== undefined) node['$ref'] = fragment;
    }
    return this.root;
  }

  /** By place, what each reference is written as; counted while they are made, each target's once, and before any is written. */
  private fragments(): Map<JsonObject, string> {
    const byPlace = new Map<string, string>();
    const fragments = new Map<JsonObject, string>();
    let chars = 0;
    const add = (more: number): void => {
      chars += more;
      if (chars > MAX_DEFINITION_CHARS)
        throw new UnfitDefinition(`is longer than ${MAX_DEFINITION_CHARS} characters once its references are by place`);
    };
    for (const [node, [target]] of this.found) {
      if (!target) continue;
      // It is as long as the place at least, up to nine times where that is not ASCII.
      if (chars + target.at.length > MAX_DEFINITION_CHARS) add(target.at.length);
      let fragment = byPlace.get(target.at);
      if (fragment === undefined) {
        fragment = `#${asFragment(target.at)}`;
        byPlace.set(target.at, fragment);
      }
      add(fragment.length);
      fragments.set(node, fragment);
    }
    return fragments;
  }

  private collect(node: JsonObject, at: string, outer: Resource): void {
    const resource = this.resourceOf(node, outer);
    this.places.set(node, { at, resource });
    for (const [child, , keys] of childrenOf(node)) this.collect(child, keys.reduce(pointerTo, at), resource);
  }

  private resourceOf(node: JsonObject, outer: Resource): Resource {
    if (NAMES_OF_PARTS.some((keyword) => node[keyword] !== undefined) || node['$dynamicRef'] !== undefined || node['$recursiveRef'] !== undefined) this.hasNames = true; // prettier-ignore
    const id = node[this.idKey];
    let resource = outer;
    if (typeof id === 'string' && id.startsWith('#') && id.length > 1) nameIn(outer, id.slice(1), node);
    else if (typeof id === 'string' && id !== '' && id !== '#') {
      const name = id.replace(/#$/, '');
      if (this.resources.has(name)) throw new UnfitDefinition('has two parts of one name');
      resource = node === this.root ? outer : { node, anchors: new Map() };
      this.resources.set(name, resource);
    }
    for (const keyword of ['$anchor', '$dynamicAnchor'] as const) {
      const anchor = node[keyword];
      if (typeof anchor === 'string') nameIn(resource, anchor, node);
    }
    return resource;
  }

  private target(reference: string, from: Resource): ReferredPart {
    const hash = reference.indexOf('#');
    const [name, fragment] = hash < 0 ? [reference, ''] : [reference.slice(0, hash), reference.slice(hash + 1)];
    const resource = name === '' ? from : this.resources.get(name);
    const found = resource && this.within(resource, fragment);
    const isSchema =
      found && (typeof found.node === 'boolean' || (isObject(found.node) && (this.use === 'arguments' || this.places.has(found.node)))); // prettier-ignore
    if (!isSchema) throw new UnfitDefinition('has a reference ($ref) to what is not there');
    return found;
  }

  private within(resource: Resource, fragment: string): ReferredPart | null {
    const base = this.places.get(resource.node)?.at ?? '';
    if (fragment === '') return { node: resource.node, at: base };
    if (!fragment.startsWith('/')) {
      const node = resource.anchors.get(fragment);
      return node ? { node, at: this.places.get(node)?.at ?? '' } : null;
    }
    let node: unknown = resource.node;
    let at = base;
    for (const step of fragment.slice(1).split('/')) {
      const key = keyOf(step);
      const isThere = key !== null && typeof node === 'object' && node !== null && Object.hasOwn(node, key);
      if (!isThere) return null;
      node = (node as JsonObject)[key];
      at = pointerTo(at, key);
    }
    return { node, at };
  }

  /** One that leads back to itself without a step into the value is never done. */
  private findCircle(): void {
    const done = new Map<JsonObject, boolean>();
    const follow = (node: JsonObject, steps: number): void => {
      const isDone = done.get(node);
      if (isDone === false) throw new UnfitDefinition('has references ($ref) that go in circles');
      if (isDone) return;
      this.mayStep(steps);
      done.set(node, false);
      for (const [child, keyword] of childrenOf(node)) if (IN_PLACE.has(keyword)) follow(child, steps + 1);
      for (const target of this.targetsOf(node)) follow(target, steps + 1);
      done.set(node, true);
    };
    for (const node of this.places.keys()) follow(node, 0);
  }

  /**
   * Parts of a schema once references are replaced by what they mean; one to itself counts once. Parts that refer to one another
   * all round are more than that to a client that replaces them along each path: neither official client does, as validators of
   * both (Ajv, jsonschema) follow what has references when a value is there, and schemas of trees are often written so.
   */
  private weigh(node: JsonObject, weights: Map<JsonObject, number>, steps: number): number {
    const known = weights.get(node);
    if (known !== undefined) return known;
    this.mayStep(steps);
    weights.set(node, 1);
    let weight = 1;
    for (const [child] of childrenOf(node)) weight += this.weigh(child, weights, steps + 1);
    for (const target of this.targetsOf(node)) weight += this.weigh(target, weights, steps + 1);
    weights.set(node, weight);
    return weight;
  }

  private compiledSize(): number {
    const sizes = new Map<JsonObject, number>();
    /** Infinite for what has references. */
    const sizeOf = (node: JsonObject): number => {
      let size = sizes.get(node);
      if (size === undefined) {
        size = REFERENCES.some((keyword) => node[keyword] !== undefined) ? Infinity : 1;
        for (const [child] of childrenOf(node)) size += sizeOf(child);
        sizes.set(node, size);
      }
      return size;
    };
    let size = this.places.size;
    for (const node of this.places.keys()) {
      for (const target of this.targetsOf(node)) {
        const more = sizeOf(target);
        if (more !== Infinity) size += more;
      }
    }
    return size;
  }

  private mayStep(steps: number): void {
    const max = MAX_STEPS[this.use];
    if (steps > max) throw new UnfitDefinition(`leads more than ${max} steps deep`);
  }

  private targetsOf(node: JsonObject): JsonObject[] {
    return (this.found.get(node) ?? []).flatMap(({ node: target }) => (isObject(target) ? [target] : []));
  }
}

/** The schemas right within one, each with the keyword and the keys that lead to it. */
function* childrenOf(node: JsonObject): Generator<[child: JsonObject, keyword: string, keys: string[]]> {
  for (const [keyword, member] of Object.entries(node)) {
    const kind = SCHEMA_KEYWORDS.get(keyword);
    const isOfSchemas = kind === 'list' || kind === 'map' || kind === 'items' || kind === 'dependencies';
    if (isObject(member) && (kind === 'schema' || kind === 'items')) yield [member, keyword, [keyword]];
    else if (isOfSchemas && typeof member === 'object' && member !== null)
      for (const [key, child] of Object.entries(member)) if (isObject(child)) yield [child, keyword, [keyword, key]];
  }
}

function nameIn({ anchors }: Resource, name: string, node: JsonObject): void {
  if (anchors.has(name)) throw new UnfitDefinition('has two parts of one name');
  anchors.set(name, node);
}

/** RFC 6901 */
export function pointerTo(at: string, key: string): string {
  return `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function asFragment(pointer: string): string {
  return pointer
    .split('/')
    .map((step) => encodeURIComponent(step).replaceAll('%24', '$'))
    .join('/');
}

/** The key that a step of a pointer in a fragment stands for; null when it stands for none. */
function keyOf(step: string): string | null {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return null;
  }
}
