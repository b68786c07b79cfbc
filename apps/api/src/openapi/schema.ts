import { isObject, type Json } from '@haldir/http';

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

/**
 * The contract's schema, with what the served one adds to it: further properties, and values of enumerations. Whatever the contract says of a
 * property stands as it is.
 *
 * @param reference the served schema, or a reference to one of `schemas`
 * @param addsRequired whether added properties may be required: in answers, never in requests
 */
export function mergeSchema(
  contract: Json,
  reference: Json | undefined,
  addsRequired: boolean,
  schemas: Readonly<Record<string, Json>>,
): Json {
  const served = resolved(reference, schemas);
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
        return [
          name,
          isObject(given) ? mergeSchema(given, isObject(ours) ? ours : undefined, addsRequired, schemas) : ours,
        ];
      }),
    );
  }
  // What the contract names, and what has come since.
  if (Array.isArray(contract['enum']) && Array.isArray(served['enum']))
    merged['enum'] = [...new Set([...(contract['enum'] as unknown[]), ...(served['enum'] as unknown[])])];
  if (isObject(contract['items']) && isObject(served['items'])) {
    merged['items'] = mergeSchema(contract['items'], served['items'], addsRequired, schemas);
  }
  if (addsRequired && Array.isArray(served['required'])) {
    const added = (served['required'] as string[]).filter((name) => !(name in contractProperties));
    const required = [...((contract['required'] as string[] | undefined) ?? []), ...added];
    if (required.length > 0) merged['required'] = required;
  }
  return merged;
}

/** What a reference to a component says. */
function resolved(schema: Json | undefined, schemas: Readonly<Record<string, Json>>): Json | undefined {
  const reference = schema?.['$ref'];
  return typeof reference === 'string' ? schemas[reference.split('/').at(-1) ?? ''] : schema;
}
