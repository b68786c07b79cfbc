import { JsonNumber } from '@haldir/kernel';

/** A JSON Schema, or any other JSON object. */
export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

/** The document with `change` applied to every object in it, innermost first. */
export function mapObjects(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  if (!isObject(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapObjects(member, change)])));
}

/** What zod writes and nobody needs to read: the bounds of a safe integer, closed answers, one-value enumerations. */
export function withoutNoise(object: Json): Json {
  const { override, ...schema } = object;
  if (isObject(override)) {
    const { description, default: fallback } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...override,
    };
  }
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (Array.isArray(schema['enum']) && schema['enum'].length === 1) {
    schema['const'] = schema['enum'][0] as unknown;
    delete schema['enum'];
  }
  if (typeof schema['$ref'] === 'string' && schema['description'] === '') delete schema['description'];
  return schema;
}
