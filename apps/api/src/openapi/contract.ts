import { readFileSync } from 'node:fs';
import { isObject, type Json, mapObjects } from '@haldir/http';
import { INFO } from './info.js';
import { inTermsOf31, mergeSchema } from './schema.js';

export interface Document extends Json {
  paths: Record<string, Record<string, Json>>;
  components: {
    schemas: Record<string, Json>;
    responses: Record<string, Json>;
    parameters: Record<string, Json>;
  } & Json;
}

/** What every refusal holds besides what the contract says of it. */
const REFUSAL: Json = {
  properties: {
    code: { type: 'string', description: 'Machine-readable name of what went wrong' },
    request_id: { type: 'string', description: 'The X-Request-ID of the answer; the log has it' },
    field: {
      type: 'string',
      description: 'The member, parameter or header that a 400 is about, where it is about one',
    },
    required: { type: 'string', description: 'The scope that the key lacks, where it lacks one' },
  },
  required: ['code', 'request_id'],
};

/** The API's contract as it was given, in terms of OpenAPI 3.1. */
export function readContract(): Document {
  const text = readFileSync(new URL('./v1-contract.json', import.meta.url), 'utf8');
  return mapObjects(JSON.parse(text), inTermsOf31) as Document;
}

/** The served document: the contract kept exactly, plus every route, input and answer field that the code adds. */
export function mergeContract(contract: Document, served: Document): Document {
  const paths: Document['paths'] = {};
  for (const path of new Set([...Object.keys(contract.paths), ...Object.keys(served.paths)])) {
    const given = contract.paths[path] ?? {};
    const ours = served.paths[path] ?? {};
    paths[path] = { ...ours };
    for (const [method, operation] of Object.entries(given)) {
      paths[path][method] = mergeOperation(operation, ours[method] ?? {}, contract, served.components.schemas);
    }
  }
  const schemas: Record<string, Json> = { ...served.components.schemas };
  for (const [name, schema] of Object.entries(contract.components.schemas)) {
    const ours = /Error$/.test(name) ? REFUSAL : served.components.schemas[name];
    schemas[name] = mergeSchema(schema, ours, true, served.components.schemas);
  }
  return {
    ...contract,
    info: { ...INFO, version: (served['info'] as Json)['version'] },
    paths,
    components: {
      ...contract.components,
      responses: { ...served.components.responses, ...contract.components.responses },
      schemas,
    },
  };
}

function mergeOperation(given: Json, ours: Json, contract: Document, schemas: Record<string, Json>): Json {
  const { security: _, ...rest } = ours;
  const merged: Json = { ...rest, ...given };
  const parameters = [
    ...((given['parameters'] as Json[] | undefined) ?? []),
    ...((ours['parameters'] as Json[] | undefined) ?? []).filter((parameter) => !isGiven(parameter, given, contract)),
  ];
  if (parameters.length > 0) merged['parameters'] = parameters;
  else delete merged['parameters'];
  if (isObject(given['requestBody']))
    merged['requestBody'] = mergeContent(given['requestBody'], ours['requestBody'], false, schemas);
  const givenResponses = given['responses'] as Record<string, Json>;
  const ourResponses = (ours['responses'] ?? {}) as Record<string, Json>;
  merged['responses'] = {
    ...ourResponses,
    ...Object.fromEntries(
      Object.entries(givenResponses).map(([status, response]) => [
        status,
        mergeContent(response, ourResponses[status], true, schemas),
      ]),
    ),
  };
  return merged;
}

/** Whether the contract's operation names the parameter, outright or by reference. */
function isGiven(parameter: Json, given: Json, contract: Document): boolean {
  return ((given['parameters'] as Json[] | undefined) ?? []).some((candidate) => {
    const name = typeof candidate['$ref'] === 'string' ? candidate['$ref'].split('/').at(-1) : undefined;
    const resolved = name === undefined ? candidate : contract.components.parameters[name];
    return (
      String(resolved?.['name']).toLowerCase() === String(parameter['name']).toLowerCase() &&
      resolved?.['in'] === parameter['in']
    );
  });
}

/** A request body or response: the contract's, its JSON schema with what ours adds. */
function mergeContent(given: Json, ours: unknown, addsRequired: boolean, schemas: Record<string, Json>): Json {
  const schema = jsonSchemaOf(given);
  const ourSchema = jsonSchemaOf(ours);
  if (!schema || !ourSchema) return given;
  return {
    ...given,
    content: { 'application/json': { schema: mergeSchema(schema, ourSchema, addsRequired, schemas) } },
  };
}

function jsonSchemaOf(holder: unknown): Json | undefined {
  const content = isObject(holder) ? holder['content'] : undefined;
  const media = isObject(content) ? content['application/json'] : undefined;
  const schema = isObject(media) ? media['schema'] : undefined;
  return isObject(schema) ? schema : undefined;
}
