import { Client as Postgres } from 'pg';
import { Client } from './client.js';
import { type AppProcess, type Environment, startApi, testEnvironment } from './processes.js';

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

interface Shared {
  haldirTestWorld?: Promise<World>;
}

/**
 * The world of this test worker: two API processes, and euros at 1.08 USD. It is the same for every file that the worker runs, and ends
 * with it, so that a file costs no start of its own: what a test asks of it is about tenants that the test made, or about what it
 * named itself.
 */
export function sharedWorld(): Promise<World> {
  const shared = globalThis as Shared;
  shared.haldirTestWorld ??= startWorld({ processes: 2, environment: { HALDIR_FX_RATES: 'EUR=1.08' } });
  return shared.haldirTestWorld;
}
