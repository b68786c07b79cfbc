import { isNumber } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { UnfitDefinition } from './mcp-client.errors.js';
import { SCHEMA_KEYWORDS, type KeywordKind, type SchemaUse } from './schema-keywords.js';
import { SchemaPatterns } from './schema-patterns.js';
import { pointerTo, SchemaReferences } from './schema-references.js';

/** A schema, or what stands for all values or none. */
type Schema = JsonObject | boolean;

const TYPES: readonly unknown[] = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
/** Schemas within one definition: as many as are read while nobody notices. */
const MAX_SCHEMAS = 4_000;

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';
const OLD_DRAFT = /^https?:\/\/json-schema\.org\/draft-0[34]\/schema#?$/;
const KNOWN_DRAFT = /^https?:\/\/json-schema\.org\/(?:draft-0[67]|draft\/2019-09|draft\/2020-12)\/schema#?$/;
const LISTS_OF_ITEMS = /^https?:\/\/json-schema\.org\/(?:draft-0[67]|draft\/2019-09)\/schema#?$/;
/** No keywords of JSON Schema, but of the compiler that official clients use, which ends at them. */
const OF_A_COMPILER: ReadonlySet<string> = new Set([
  ...['$async', 'formatExclusiveMaximum', 'formatExclusiveMinimum', 'formatMaximum', 'formatMinimum'],
]);
const NAMES_A_PART = /"\$(?:id|anchor|dynamicAnchor)"/;

/**
 * A schema as clients can read it: without members that are null, what older drafts wrote otherwise in the words of today, and
 * empty lists, which some languages write for empty objects, as these. It means what it meant.
 *
 * @throws UnfitDefinition for what nobody can read
 */
export function repairedSchema(value: JsonObject, use: SchemaUse): JsonObject {
  const isOld = typeof value['$schema'] === 'string' && OLD_DRAFT.test(value['$schema']);
  const walk = new SchemaWalk(use);
  const repaired = walk.object(value, '');
  const references = new SchemaReferences(repaired, isOld ? 'id' : '$id', use);
  references.check();
  if (isOld) repaired['$schema'] = DRAFT_7;
  if (use === 'arguments') return repaired;
  const dialect = repaired['$schema'];
  if (typeof dialect === 'string' && !KNOWN_DRAFT.test(dialect))
    throw new UnfitDefinition('/$schema is no dialect of JSON Schema that clients know');
  if (walk.hasListOfItems && !(typeof dialect === 'string' && LISTS_OF_ITEMS.test(dialect)))
    repaired['$schema'] = DRAFT_7;
  return references.plain();
}

class SchemaWalk {
  /** Whether `items` is a list somewhere, as drafts before 2020-12 have it. */
  hasListOfItems = false;
  private schemas = 0;
  private readonly patterns = new SchemaPatterns();

  constructor(private readonly use: SchemaUse) {}

  object(value: JsonObject, at: string): JsonObject {
    if (++this.schemas > MAX_SCHEMAS) throw new UnfitDefinition(`has more than ${MAX_SCHEMAS} parts`);
    const repaired: JsonObject = {};
    for (const [key, member] of Object.entries(value)) {
      const kind = SCHEMA_KEYWORDS.get(key);
      if (this.use === 'results') this.checkPatterns(key, member, at);
      const kept = kind ? this.member(kind, member, pointerTo(at, key)) : this.unknown(key, member);
      if (kept !== undefined) repaired[key] = kept;
    }
    withRequiredOfDraft3(value, repaired);
    withLimitsOfDraft4(repaired);
    if (this.use === 'results') withoutVainNullable(repaired);
    return repaired;
  }

  /** Undefined for what is left out. */
  private member(kind: KeywordKind, value: unknown, at: string): unknown {
    if (kind === 'data') return value;
    if (value === null) return undefined;
    switch (kind) {
      case 'schema':
        return this.schema(value, at);
      case 'list':
        return this.list(value, at);
      case 'items':
        return Array.isArray(value) && value.length > 0 ? this.listOfItems(value, at) : this.schema(value, at);
      case 'map':
        return this.map(value, at, (each, where) => this.schema(each, where));
      case 'dependencies':
        return this.map(value, at, (each, where) => (isTexts(each) ? each : this.schema(each, where)));
      case 'names map':
        return this.map(value, at, (each, where) => fit(isTexts(each), each, where, 'no list of names'));
      case 'names':
        // In draft-03 a property said so of itself.
        return typeof value === 'boolean' ? undefined : fit(isTexts(value), value, at, 'no list of names');
      case 'type':
        return this.type(value, at);
      case 'enum':
        return fit(Array.isArray(value) && (this.use === 'arguments' || value.length > 0), value, at, 'no list of values'); // prettier-ignore
      case 'number':
        return fit(isNumber(value), value, at, 'no number');
      case 'exclusive':
        return fit(isNumber(value) || typeof value === 'boolean', value, at, 'no number');
      case 'flag':
        return fit(typeof value === 'boolean', value, at, 'neither true nor false');
      case 'text':
        return fit(typeof value === 'string', value, at, 'no text');
      case 'reference':
        return fit(typeof value === 'string', value, at, 'no text');
      case 'label':
        return typeof value === 'string' ? value : undefined;
      case 'hint':
        return typeof value === 'boolean' ? value : undefined;
    }
  }

  private schema(value: unknown, at: string): Schema {
    if (typeof value === 'boolean') return value;
    if (value === null || isEmptyList(value)) return {};
    if (!isObject(value)) throw new UnfitDefinition(`${at} is no schema`);
    return this.object(value, at);
  }

  private list(value: unknown, at: string): Schema[] {
    if (!Array.isArray(value)) throw new UnfitDefinition(`${at} is no list of schemas`);
    return value.map((each, i) => this.schema(each, pointerTo(at, String(i))));
  }

  private listOfItems(value: readonly unknown[], at: string): Schema[] {
    this.hasListOfItems = true;
    return this.list(value, at);
  }

  private map(value: unknown, at: string, kept: (value: unknown, at: string) => unknown): JsonObject {
    if (isEmptyList(value)) return {};
    if (!isObject(value)) throw new UnfitDefinition(`${at} is no object of schemas`);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, kept(each, pointerTo(at, name))]));
  }

  private type(value: unknown, at: string): unknown {
    // What draft-03 called so is what is said without a type.
    if (value === 'any') return undefined;
    const isKnown = Array.isArray(value)
      ? value.length > 0 && value.every((each) => TYPES.includes(each))
      : TYPES.includes(value);
    return fit(isKnown, value, at, 'no type of JSON Schema');
  }

  private checkPatterns(keyword: string, value: unknown, at: string): void {
    if (keyword === 'pattern' && typeof value === 'string') this.patterns.check(value, `${at}/pattern`);
    else if (keyword === 'patternProperties' && isObject(value))
      for (const pattern of Object.keys(value)) this.patterns.check(pattern, `${at}/patternProperties`);
  }

  private unknown(key: string, value: unknown): unknown {
    if (this.use === 'arguments') return value;
    if (OF_A_COMPILER.has(key)) return undefined;
    const hasNames =
      typeof value === 'object' && value !== null && NAMES_A_PART.test(JSON.stringify(value, plainNumbers));
    return hasNames ? undefined : value;
  }
}

function plainNumbers(_: string, value: unknown): unknown {
  return isNumber(value) ? 0 : value;
}

function fit<Value>(isFit: boolean, value: Value, at: string, complaint: string): Value {
  if (!isFit) throw new UnfitDefinition(`${at} is ${complaint}`);
  return value;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** How PHP writes an object without members. */
export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** In draft-03 a property says `required: true` of itself; since then the object does, of its properties. */
function withRequiredOfDraft3({ properties }: JsonObject, repaired: JsonObject): void {
  if (!isObject(properties)) return;
  const names = Object.keys(properties).filter((name) => {
    const property = properties[name];
    return isObject(property) && property['required'] === true;
  });
  if (names.length === 0) return;
  const said = Array.isArray(repaired['required']) ? (repaired['required'] as string[]) : [];
  repaired['required'] = [...new Set([...said, ...names])];
}

/** In draft-04 a limit was exclusive by a flag beside it. */
function withLimitsOfDraft4(repaired: JsonObject): void {
  for (const [exclusive, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const flag = repaired[exclusive];
    if (typeof flag !== 'boolean') continue;
    delete repaired[exclusive];
    if (!flag || repaired[limit] === undefined) continue;
    repaired[exclusive] = repaired[limit];
    delete repaired[limit];
  }
}

/** A keyword of OpenAPI that compilers take beside a type only. */
function withoutVainNullable(repaired: JsonObject): void {
  const { type, nullable } = repaired;
  const types: unknown[] = Array.isArray(type) ? type : [type];
  if (typeof nullable !== 'boolean' || type === undefined || types.includes('null')) delete repaired['nullable'];
}
