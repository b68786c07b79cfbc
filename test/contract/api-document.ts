import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { type Client } from '@haldir/test-support';

export type Json = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
}

/** An operation of an OpenAPI document, with its references resolved as far as a caller needs them. */
export interface Operation {
  id: string;
  method: string;
  path: string;
  tags: string[];
  /** Whether it asks for an API key; `POST /v1/keys` does not always, and says so. */
  secured: boolean;
  parameters: Parameter[];
  /** The schema of its JSON body; null when it takes none. */
  body: Json | null;
  /** The statuses it documents. */
  statuses: number[];
}

const SEED = join(import.meta.dirname, '..', '..', 'apps/api/src/openapi/v1-contract.json');

/** An OpenAPI document as a client reads it: what may be asked, and what an answer has to look like. */
export class ApiDocument {
  readonly operations: readonly Operation[];
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(private readonly document: Json) {
    formats.default(this.ajv);
    this.ajv.addSchema(document, 'document');
    this.operations = Object.entries(document['paths'] as Record<string, Record<string, Json>>).flatMap(
      // What MCP says of its messages is held by the suites of test/mcp.
      ([path, methods]) =>
        path === '/mcp' ? [] : Object.entries(methods).map(([method, operation]) => this.read(path, method, operation)),
    );
  }

  /** The contract as it was given. It says 3.1 but writes 3.0's `nullable`, which reads as `type: [T, "null"]`. */
  static seed(): ApiDocument {
    return new ApiDocument(
      JSON.parse(readFileSync(SEED, 'utf8'), (_key, value: unknown) => {
        if (typeof value !== 'object' || value === null || (value as Json)['nullable'] !== true) return value;
        const { nullable: _, type, ...rest } = value as Json;
        return { ...rest, type: [type, 'null'] };
      }) as Json,
    );
  }

  /** The document as it is served. */
  static async servedBy(client: Client): Promise<ApiDocument> {
    return new ApiDocument((await client.get('/openapi.json')).body);
  }

  find(id: string): Operation | undefined {
    return this.operations.find((operation) => operation.id === id);
  }

  /** @throws Error when there is no such operation */
  operation(id: string): Operation {
    const found = this.find(id);
    if (!found) throw new Error(`the document has no operation ${id}`);
    return found;
  }

  /** What is wrong with an answer whose status the operation documents: its content type, and its body where that is JSON. */
  problems(operation: Operation, status: number, contentType: string, body: unknown): string[] {
    const at = this.responseAt(operation, status);
    const content = this.at<Json>(at)['content'] as Json | undefined;
    const [type = ''] = contentType.split(';');
    if (content && !(type in content)) return [`content-type is ${type}`];
    if (type !== 'application/json' || !content) return [];
    return this.problemsBy([...at, 'content', type, 'schema'], body);
  }

  /** What it documents of an answer's body, by content type; empty for one without. */
  contentOf(operation: Operation, status: number): Record<string, Json> {
    return (this.at<Json>(this.responseAt(operation, status))['content'] ?? {}) as Record<string, Json>;
  }

  /** What keeps a body from being the document's `Error`. */
  errorProblems(body: unknown): string[] {
    return this.problemsBy(['components', 'schemas', 'Error'], body);
  }

  private responseAt({ id, method, path, statuses }: Operation, status: number): string[] {
    if (!statuses.includes(status)) throw new Error(`${id} does not document ${status}`);
    const at = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const { $ref } = this.at<Json>(at);
    return typeof $ref === 'string' ? $ref.split('/').slice(1) : at;
  }

  private problemsBy(at: string[], body: unknown): string[] {
    const pointer = at.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const validate = this.ajv.getSchema(`document#/${pointer}`) as ValidateFunction | undefined;
    if (!validate) throw new Error(`the document has no ${pointer}`);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'body'} ${message}`);
  }

  private read(path: string, method: string, operation: Json): Operation {
    const resolve = (given: Json): Json =>
      typeof given['$ref'] === 'string' ? this.at<Json>(given['$ref'].split('/').slice(1)) : given;
    const security = (operation['security'] ?? this.document['security'] ?? []) as Json[];
    const content = (operation['requestBody'] as { content?: Record<string, { schema: Json }> } | undefined)?.content;
    return {
      id: String(operation['operationId']),
      method: method.toUpperCase(),
      path,
      tags: (operation['tags'] as string[] | undefined) ?? [],
      secured: security.length > 0,
      parameters: ((operation['parameters'] as Json[] | undefined) ?? []).map((given) => {
        const { required, ...parameter } = resolve(given);
        return { ...parameter, required: required === true } as Parameter;
      }),
      body: content?.['application/json']?.schema ?? null,
      statuses: Object.keys(operation['responses'] as Json).map(Number),
    };
  }

  private at<T>(parts: string[]): T {
    return parts.reduce<unknown>((value, part) => (value as Json)[part], this.document) as T;
  }
}

/** The path of an operation with its parameters in their places, each percent-encoded. */
export function pathOf(operation: Operation, values: Record<string, string>): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${operation.id} needs ${name}`);
    return encodeURIComponent(value);
  });
}
