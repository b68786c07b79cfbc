// @ts-check
const REQUEST_MS = 20_000;

/** Asks the Haldir of the run as its operator. */
export class Operator {
  #key = '';
  #signal;

  /**
   * @param {string} url
   * @param {AbortSignal} signal ends requests that are under way
   */
  constructor(url, signal) {
    this.url = url;
    this.#signal = signal;
  }

  /** Takes the first key, and puts the MCP server behind Haldir with one of its tools blocked. @param {string} mcpUrl */
  async begin(mcpUrl) {
    this.#key = (await this.#ask('POST', '/v1/keys', { name: 'operator', tier: 'enterprise' })).key;
    await this.#ask('POST', '/v1/proxy/upstreams', { name: 'demo', url: mcpUrl });
    await this.addPolicy({ type: 'block_tool', tool: 'demo.get-env' });
  }

  /** @param {string} agent @returns {Promise<{ key: string, prefix: string }>} */
  agentKey(agent) {
    const ceiling = { agent_id: agent, scopes: ['read', 'execute'], ttl: 3600, spend_limit: 0 };
    return this.#ask('POST', '/v1/keys', { name: agent, tier: 'pro', agent: ceiling });
  }

  /** @param {object} policy @returns {Promise<string>} its id */
  async addPolicy(policy) {
    return (await this.#ask('POST', '/v1/proxy/policies', policy)).id;
  }

  /** @param {string} id */
  async removePolicy(id) {
    await this.#ask('DELETE', `/v1/proxy/policies/${id}`);
  }

  /** @param {string} agent @returns {Promise<{ action: string, tool: string, actor: string }[]>} its latest entries */
  async log(agent) {
    return (await this.#ask('GET', `/v1/audit?agent_id=${agent}&limit=100`)).entries;
  }

  /**
   * @param {string} method
   * @param {string} address
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async #ask(method, address, body) {
    const response = await fetch(`${this.url}${address}`, {
      method,
      headers: {
        ...(this.#key === '' ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    const answer = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`${method} ${address} was answered with ${response.status}: ${answer.error}`);
    return answer;
  }
}
