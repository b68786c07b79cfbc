/** What a schema is of: clients compile those of results, and tell models those of arguments. */
export type SchemaUse = 'arguments' | 'results';

/** What may stand behind a keyword of JSON Schema. */
export type KeywordKind =
  /** A schema. */
  | 'schema'
  /** A list of schemas. */
  | 'list'
  /** Schemas by name. */
  | 'map'
  /** A schema, or a list of them: `items`. */
  | 'items'
  /** By name a schema, or a set of names: `dependencies`. */
  | 'dependencies'
  /** A set of names. */
  | 'names'
  /** Sets of names, by name. */
  | 'names map'
  /** The name of a type, or a set of such names. */
  | 'type'
  /** A set of values of any kind. */
  | 'enum'
  | 'number'
  /** A number; in draft-04 a flag beside one. */
  | 'exclusive'
  | 'flag'
  | 'text'
  /** A text that says where another schema is. */
  | 'reference'
  /** What only describes. */
  | 'label'
  | 'hint'
  /** Any value. */
  | 'data';

const KEYWORDS_BY_KIND: Readonly<Record<KeywordKind, readonly string[]>> = {
  schema: [
    ...['additionalItems', 'additionalProperties', 'contains', 'contentSchema', 'else', 'if', 'not', 'propertyNames'],
    ...['then', 'unevaluatedItems', 'unevaluatedProperties'],
  ],
  list: ['allOf', 'anyOf', 'oneOf', 'prefixItems'],
  map: ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties'],
  items: ['items'],
  dependencies: ['dependencies'],
  names: ['required'],
  'names map': ['dependentRequired'],
  type: ['type'],
  enum: ['enum'],
  number: [
    ...['maxContains', 'maximum', 'maxItems', 'maxLength', 'maxProperties', 'minContains', 'minimum', 'minItems'],
    ...['minLength', 'minProperties', 'multipleOf'],
  ],
  exclusive: ['exclusiveMaximum', 'exclusiveMinimum'],
  flag: ['uniqueItems'],
  text: ['format', 'pattern'],
  reference: ['$dynamicRef', '$recursiveRef', '$ref'],
  label: ['$anchor', '$comment', '$dynamicAnchor', '$id', '$schema', 'contentEncoding', 'contentMediaType'],
  hint: ['deprecated', 'readOnly', 'writeOnly'],
  data: ['const', 'default', 'examples'],
};

/** `title` and `description` of a schema are labels, too; of a map they may be names, which this is never asked about. */
const LABELS: readonly string[] = ['title', 'description'];

/** The keywords that Haldir knows; one that is not there is anybody's own and stays as it is. */
export const SCHEMA_KEYWORDS: ReadonlyMap<string, KeywordKind> = new Map([
  ...Object.entries(KEYWORDS_BY_KIND).flatMap(([kind, names]) =>
    names.map((name): [string, KeywordKind] => [name, kind as KeywordKind]),
  ),
  ...LABELS.map((name): [string, KeywordKind] => [name, 'label']),
]);

/** Keywords whose schemas are about the value itself and not about a part of it. */
export const IN_PLACE: ReadonlySet<string> = new Set([
  ...['allOf', 'anyOf', 'dependencies', 'dependentSchemas', 'else', 'if', 'not', 'oneOf', 'then'],
]);
