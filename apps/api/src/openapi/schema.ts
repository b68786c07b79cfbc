/** A JSON Schema, or any other JSON object of the document. */
export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The document with `change` applied to every object in it, innermost first. */
export function mapObjects(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  if (!isObject(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapObjects(member, change)])));
}

/** What OpenAPI 3.0 says in its own way, in 3.1's terms: `type: [T, "null"]` for nullable, exclusive bounds as numbers. */
export function inTermsOf31(object: Json): Json {
  const { nullable, ...schema } = object;
  if (nullable === true) schema['type'] = [schema['type'], 'null'];
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (schema[exclusive] !== true) continue;
    schema[exclusive] = schema[bound];
    delete schema[bound];
  }
  return schema;
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

/**
 * The contract's schema, with what the served one adds to it: further properties. Whatever the contract says of a
 * property stands as it is.
 *
 * @param addsRequired whether added properties may be required: in answers, never in requests
 */
export function mergeSchema(contract: Json, served: Json | undefined, addsRequired: boolean): Json {
  if (served === undefined || '$ref' in contract) return contract;
  const merged: Json = { ...contract };
  const contractProperties = isObject(contract['properties']) ? contract['properties'] : {};
  const servedProperties = isObject(served['properties']) ? served['properties'] : {};
  const names = [...new Set([...Object.keys(contractProperties), ...Object.keys(servedProperties)])];
  if (names.length > 0) {
    merged['properties'] = Object.fromEntries(
      names.map((name) => {
        const given = contractProperties[name];
        const ours = servedProperties[name];
        return [name, isObject(given) ? mergeSchema(given, isObject(ours) ? ours : undefined, addsRequired) : ours];
      }),
    );
  }
  if (isObject(contract['items']) && isObject(served['items'])) {
    merged['items'] = mergeSchema(contract['items'], served['items'], addsRequired);
  }
  if (addsRequired && Array.isArray(served['required'])) {
    const added = (served['required'] as string[]).filter((name) => !(name in contractProperties));
    const required = [...((contract['required'] as string[] | undefined) ?? []), ...added];
    if (required.length > 0) merged['required'] = required;
  }
  return merged;
}
