import { isObject, type Json } from '@haldir/http';
import { type Document } from './contract.js';

const WARNINGS: Json = {
  type: 'array',
  items: { type: 'string' },
  description: 'Members of the request that are not known and were ignored; absent when there were none',
};

/** Every answer to a body may have warnings: which members of it nobody knows. */
export function addWarnings(document: Document): void {
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    if (operation['requestBody'] === undefined) continue;
    for (const [status, answer] of Object.entries(operation['responses'] as Record<string, Json>)) {
      if (status.startsWith('2')) addTo(schemaOf(answer), document);
    }
  }
}

function schemaOf({ content }: Json): Json | undefined {
  const media = isObject(content) ? content['application/json'] : undefined;
  const schema = isObject(media) ? media['schema'] : undefined;
  return isObject(schema) ? schema : undefined;
}

function addTo(schema: Json | undefined, { components }: Document): void {
  const name = typeof schema?.['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
  const object = name === undefined ? schema : components.schemas[name];
  if (object && isObject(object['properties'])) object['properties']['warnings'] = WARNINGS;
}
