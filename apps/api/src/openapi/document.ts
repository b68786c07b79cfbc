import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from '@haldir/kernel';
import { isObject, type Json, mapObjects, type Pages, withoutNoise } from '@haldir/http';
import { HaldirConfig } from '@haldir/runtime';
import { addAnswers } from './answers.js';
import { type Document, mergeContract, readContract } from './contract.js';
import { REQUEST_EXAMPLES } from './examples.js';
import { MCP_PATH } from './mcp.js';
import { inTermsOf31 } from './schema.js';
import { addWarnings } from './warnings.js';

/** Served, and not described: other addresses of what is, which readers of the document could not tell from those of others. */
const ALIASES = ['/v1/audit/{entry_id}/details', '/v1/approvals/rules/{rule_id}', '/v1/approval-rules'];

/** Beyond those of the contract. */
const TAGS = [
  { name: 'connectors', description: 'What haldir connect asks, with a key of its own' },
  { name: 'people', description: 'Who belongs to the tenant, and in which role' },
  { name: 'evidence', description: 'Packages for an auditor, of what the log and the tables hold' },
];

/** What the code itself says of its routes, from their zod schemas and decorators. */
export function describeRoutes(app: NestFastifyApplication): Document {
  const base = new DocumentBuilder().setOpenAPIVersion('3.1.0').setTitle('Haldir').setVersion(VERSION).build();
  const described = SwaggerModule.createDocument(app, base, {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
  });
  for (const path of ALIASES) delete described.paths[path];
  return mapObjects(JSON.parse(JSON.stringify(described)), (object) => withoutNoise(inTermsOf31(object))) as Document;
}

/** The OpenAPI 3.1 document: the contract kept exactly, and every addition described. */
export function buildDocument(app: NestFastifyApplication): Document {
  const contract = readContract();
  const document = mergeContract(contract, describeRoutes(app));
  document.tags = [...(contract['tags'] as Json[]), ...TAGS];
  // Where it is read is no help to who is behind a proxy that takes a path away: an address of it is from the root of the host.
  document['servers'] = [{ url: app.get(HaldirConfig, { strict: false }).basePath || '/' }];
  document.paths = inOrder({ ...document.paths, '/mcp': MCP_PATH });
  document.components.responses = {
    ...document.components.responses,
    Conflict: refusal('A request with the same Idempotency-Key is in progress'),
    Unprocessable: refusal('The Idempotency-Key was used before with another request'),
    TooLarge: refusal('The request body is larger than 1 MiB'),
    UnsupportedMedia: refusal('The request body is in a charset other than UTF-8, or has a Content-Encoding'),
    Unavailable: refusal('The service is busy; Retry-After says when to try again'),
  };
  for (const operations of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) complete(method, operation);
  }
  addAnswers(document.paths, document.components.responses);
  dropUnused(document, contract);
  addWarnings(document);
  return document;
}

/** The way from a key to a governed call stands first, from top to bottom. */
const FIRST = ['/v1/keys', '/v1/sessions', '/v1/proxy/upstreams', '/v1/proxy/policies', '/v1/proxy/call'];

function inOrder(paths: Document['paths']): Document['paths'] {
  const names = [...FIRST, ...Object.keys(paths).filter((path) => !FIRST.includes(path))];
  return Object.fromEntries(names.flatMap((path) => (paths[path] ? [[path, paths[path]]] : [])));
}

/** Schemas that only parts of the contract would have used, which say it in their own words. */
function dropUnused(document: Document, contract: Document): void {
  for (;;) {
    const { schemas } = document.components;
    const text = JSON.stringify(document);
    const isUsed = (name: string): boolean =>
      name in contract.components.schemas || text.includes(`"#/components/schemas/${name}"`);
    const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => isUsed(name)));
    document.components.schemas = kept;
    if (Object.keys(kept).length === Object.keys(schemas).length) return;
  }
}

/** Swagger UI needs its own scripts and styles, and nothing from elsewhere. */
export const DOCS_PAGES: Pages = {
  prefix: '/docs',
  headers: {
    'content-security-policy':
      "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  },
};

/** Serves the document at `/openapi.json` and `/openapi.yaml`, and Swagger UI at `/docs`. */
export function serveDocs(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => buildDocument(app) as unknown as OpenAPIObject, {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Haldir API',
  });
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: 'Makes retries safe: the same key and body get the first answer again, for a day',
};

/** What is true of many operations and written down once: idempotency, what any request may be refused with, examples. */
function complete(method: string, operation: Json): void {
  const tags = (operation['tags'] as string[] | undefined) ?? [];
  // What connectors ask is safe to repeat as it is, or is to be asked anew.
  const isRepeated = method === 'post' && !tags.includes('connectors');
  if (isRepeated) {
    operation['parameters'] = [...((operation['parameters'] as Json[] | undefined) ?? []), IDEMPOTENCY_KEY];
  }
  for (const parameter of (operation['parameters'] as Json[] | undefined) ?? []) {
    if (parameter['in'] === 'path')
      parameter['description'] ??= `The ${String(parameter['name']).replaceAll('_', ' ')}`;
  }
  const isOpen = Array.isArray(operation['security']) && operation['security'].length === 0;
  const refusals = {
    400: 'BadRequest',
    ...(isOpen ? {} : { 403: 'Forbidden', 503: 'Unavailable' }),
    ...(method === 'get' ? {} : { 413: 'TooLarge', 415: 'UnsupportedMedia' }),
    ...(isRepeated ? { 409: 'Conflict', 422: 'Unprocessable' } : {}),
  };
  operation['responses'] = {
    ...Object.fromEntries(
      Object.entries(refusals).map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
    ),
    ...(operation['responses'] as Json),
  };
  const example = REQUEST_EXAMPLES[String(operation['operationId'])];
  const body = operation['requestBody'];
  const content = isObject(body) ? body['content'] : undefined;
  const media = isObject(content) ? content['application/json'] : undefined;
  if (example !== undefined && isObject(media)) media['example'] = example;
}

function refusal(description: string): Json {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}
