// @ts-check
// A tenant of a benchmark: a key, and what is prepared with it before the load.

/**
 * @typedef {object} Tenant
 * @property {Record<string, string>} headers of a request with its key
 * @property {(method: string, path: string, body?: object) => Promise<any>} send answers the body
 * @property {(count: number, session?: object) => Promise<string[]>} sessions opens sessions, of as many agents, and answers their ids
 * @property {(path: string, body: object) => import('./load.mjs').Request} post a request for the load
 * @property {(path: string, headers?: Record<string, string>) => import('./load.mjs').Request} get a request for the load
 */

/** Requests of a preparation under way at once. */
const AT_ONCE = 16;

/**
 * @param {import('./instance.mjs').Instance} instance
 * @returns {Promise<Tenant>}
 */
export async function newTenant({ url, bootstrapToken }) {
  const { key } = await send(url, {}, 'POST', '/v1/keys', { tier: 'enterprise', bootstrap_token: bootstrapToken });
  const headers = { authorization: `Bearer ${key}` };
  /** @type {Tenant['send']} */
  const ask = (method, path, body) => send(url, headers, method, path, body);
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
 * @param {...Tenant} tenants
 * @returns {Promise<(acknowledged: number) => Promise<import('./row.mjs').Gate>>} to be asked after the load: whether the
 *   logs verify and hold as many more entries as were acknowledged
 */
export async function watchLogs(...tenants) {
  const verify = () => Promise.all(tenants.map((tenant) => tenant.send('GET', '/v1/audit/verify')));
  const lengthOf = (/** @type {{ entries_checked: number }[]} */ logs) =>
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

/**
 * @template T
 * @param {number} count
 * @param {(n: number) => Promise<T>} make
 * @returns {Promise<T[]>} in order
 */
export async function inParallel(count, make) {
  /** @type {T[]} */
  const made = new Array(count);
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
      for (let n = next++; n < count; n = next++) made[n] = await make(n);
    }),
  );
  return made;
}

/**
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function send(url, headers, method, path, body) {
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
