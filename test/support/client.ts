import { Client as Postgres } from 'pg';
import { type AppProcess, type Environment, startApi, testEnvironment } from './processes.js';

/** An answer of the API, its body parsed. */
export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** A program that calls the API with one key, over any of its processes. */
export class Client {
  constructor(
    readonly url: string,
    readonly key: string | null,
  ) {}

  /** The same key at another process. */
  at(app: AppProcess): Client {
    return new Client(app.url, this.key);
  }

  get<Body = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Reply<Body>> {
    return this.send<Body>('GET', path, undefined, headers);
  }

  post<Body = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<Body>> {
    return this.send<Body>('POST', path, body, headers);
  }

  patch<Body = Record<string, unknown>>(path: string, body?: unknown): Promise<Reply<Body>> {
    return this.send<Body>('PATCH', path, body);
  }

  put<Body = Record<string, unknown>>(path: string, body?: unknown): Promise<Reply<Body>> {
    return this.send<Body>('PUT', path, body);
  }

  delete<Body = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Reply<Body>> {
    return this.send<Body>('DELETE', path, undefined, headers);
  }

  async send<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Reply<Body>> {
    const response = await fetch(this.url + path, {
      method,
      ...(signal ? { signal } : {}),
      headers: {
        ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = text;
    }
    return { status: response.status, headers: response.headers, body: parsed as Body };
  }

  /** Opens a session and answers its id. */
  async session(session: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.post<{ session_id: string }>('/v1/sessions', { agent_id: 'agent', ...session });
    if (status !== 201) throw new Error(`no session: ${status}`);
    return body.session_id;
  }
}

export const BOOTSTRAP_TOKEN = 'bootstrap-token-of-the-tests';

/** A Haldir of one test: API processes on one new database, and the operator's key. */
export interface World {
  environment: Environment;
  apis: AppProcess[];
  /** The operator tenant's first key, at the first process. */
  operator: Client;
  /** A new tenant of its own, and its first key. */
  newTenant(key?: Record<string, unknown>): Promise<Client>;
  /** The id of a client's tenant, which the API does not tell. */
  tenantOf(client: Client): Promise<string>;
  /** Asks the database itself, for what the API does not show. One statement at a time. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export async function startWorld(options: { processes?: number; environment?: Environment } = {}): Promise<World> {
  const environment = await testEnvironment({
    ...{ HALDIR_BOOTSTRAP_TOKEN: BOOTSTRAP_TOKEN, MCP_HOLD_SECONDS: '0' },
    ...options.environment,
  });
  const apis = await Promise.all(Array.from({ length: options.processes ?? 1 }, () => startApi(environment)));
  const [first] = apis;
  if (!first) throw new Error('a world has a process');
  const database = new Postgres({ connectionString: environment['DATABASE_OWNER_URL'] });
  await database.connect();
  const sql = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.query(text, values)).rows as Row[];
  const mint = async (body: Record<string, unknown>): Promise<Client> => {
    const minted = await new Client(first.url, null).post<{ key: string }>('/v1/keys', body);
    if (minted.status !== 201) throw new Error(`no key: ${minted.status} ${JSON.stringify(minted.body)}`);
    return new Client(first.url, minted.body.key);
  };
  return {
    environment,
    apis,
    operator: await mint({ tier: 'enterprise' }),
    newTenant: (key = {}) => mint({ tier: 'enterprise', bootstrap_token: BOOTSTRAP_TOKEN, ...key }),
    tenantOf: async ({ key }) => {
      const publicId = key?.slice('hld_'.length, 'hld_'.length + 10);
      const [row] = await sql<{ tenant_id: string }>('SELECT tenant_id FROM api_key WHERE public_id = $1', [publicId]);
      if (!row) throw new Error('the client has no key of this world');
      return row.tenant_id;
    },
    sql,
    stop: async () => {
      await Promise.all(apis.map((api) => api.stop()));
      await database.end();
    },
  };
}
