// A tenant of a benchmark: a key, and what is prepared with it before the load.
import { type Request } from './load.js';
import { type Instance } from './instance.js';
import { type Gate } from './measurement.js';

export interface Tenant {
  /** Of a request with its key */
  headers: Record<string, string>;
  /** Answers the body */
  send: (method: string, path: string, body?: object) => Promise<any>;
  /** Opens sessions, of as many agents, and answers their ids */
  sessions: (count: number, session?: object) => Promise<string[]>;
  /** A request for the load */
  post: (path: string, body: object) => Request;
  /** A request for the load */
  get: (path: string, headers?: Record<string, string>) => Request;
}

/** Requests of a preparation under way at once. */
const AT_ONCE = 16;

export async function newTenant({ url, bootstrapToken }: Instance): Promise<Tenant> {
  const { key } = await send(url, {}, 'POST', '/v1/keys', { tier: 'enterprise', bootstrap_token: bootstrapToken });
  const headers = { authorization: `Bearer ${key}` };
  const ask: Tenant['send'] = (method, path, body) => send(url, headers, method, path, body);
  return {
    headers,
    send: ask,
    sessions: (count, session = {}) =>
      inParallel(count, async (n) => {
        const opened = { agent_id: `agent-${n}`, ttl: 86_400, scopes: ['read', 'execute'], ...session };
        return (await ask('POST', '/v1/sessions', opened)).session_id;
      }),
    post: (path, body) => ({
      method: 'POST',
      path,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    get: (path, more = {}) => ({ method: 'GET', path, headers: { ...headers, ...more } }),
  };
}

/**
 * Remembers how long the tenants' logs are before a load.
 *
 * @returns to be asked after the load: whether the
 * logs verify and hold as many more entries as were acknowledged
 */
export async function watchLogs(...tenants: Tenant[]): Promise<(acknowledged: number) => Promise<Gate>> {
  const verify = () => Promise.all(tenants.map((tenant) => tenant.send('GET', '/v1/audit/verify')));
  const lengthOf = (logs: { entries_checked: number }[]) =>
    logs.reduce((sum, { entries_checked: checked }) => sum + checked, 0);
  const before = lengthOf(await verify());
  return async (acknowledged) => {
    const logs = await verify();
    const added = lengthOf(logs) - before;
    const broken = logs.find(({ verified }) => verified !== true);
    return {
      claim: `${tenants.length === 1 ? 'the chain verifies and holds' : 'the chains verify and hold'} every acknowledged entry`,
      holds: broken === undefined && added >= acknowledged,
      detail: broken === undefined ? `${added} entries, ${acknowledged} acknowledged` : String(broken.error),
    };
  };
}

/** @returns in order */
export async function inParallel<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = new Array(count);
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
      for (let n = next++; n < count; n = next++) made[n] = await make(n);
    }),
  );
  return made;
}

async function send(
  url: string,
  headers: Record<string, string>,
  method: string,
  path: string,
  body?: object,
): Promise<any> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${method} ${path.replace(/ses_\w+/, 'ses_…')} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
