// @ts-check
import { ApiClient } from '../lib/api-client.mjs';

/** Asks the Haldir of the run as its operator. */
export class Operator {
  #api;

  /**
   * @param {string} url
   * @param {AbortSignal} signal ends requests that are under way
   */
  constructor(url, signal) {
    this.url = url;
    this.#api = new ApiClient(url, signal);
  }

  /** Takes the first key. */
  async begin() {
    this.#api.key = (await this.#ask('POST', '/v1/keys', { name: 'operator', tier: 'enterprise' })).key;
  }

  /**
   * Puts an MCP server behind Haldir.
   *
   * @param {string} name
   * @param {string} url
   * @returns {Promise<{ healthy: boolean, tool_names: string[], refused_tools?: { name: string, reason: string }[] }>}
   */
  register(name, url) {
    return this.#ask('POST', '/v1/proxy/upstreams', { name, url });
  }

  /**
   * @param {string} name
   * @returns {Promise<{ healthy: boolean, sessions?: string, refused_tools?: { name: string, reason: string }[] } | undefined>}
   */
  async upstream(name) {
    return (await this.#ask('GET', '/v1/proxy/upstreams')).upstreams[name];
  }

  /** @param {string} upstream @returns {Promise<string>} the key of a connector */
  async connectorKey(upstream) {
    return (await this.#ask('POST', '/v1/keys', { name: upstream, tier: 'pro', connector: { upstream } })).key;
  }

  /** @param {string} agent @returns {Promise<{ key: string, prefix: string }>} */
  agentKey(agent) {
    const ceiling = { agent_id: agent, scopes: ['read', 'execute'], ttl: 3600, spend_limit: 0 };
    return this.#ask('POST', '/v1/keys', { name: agent, tier: 'pro', agent: ceiling });
  }

  /** @param {string} agent @returns {Promise<string>} */
  async beginSession(agent) {
    const grant = { agent_id: agent, scopes: ['read', 'execute'], ttl: 3600, spend_limit: 0 };
    return (await this.#ask('POST', '/v1/sessions', grant)).session_id;
  }

  /** @param {string} id */
  async endSession(id) {
    await this.#ask('DELETE', `/v1/sessions/${id}`);
  }

  /** @param {object} policy @returns {Promise<string>} its id */
  async addPolicy(policy) {
    return (await this.#ask('POST', '/v1/proxy/policies', policy)).id;
  }

  /** @param {string} id */
  async removePolicy(id) {
    await this.#ask('DELETE', `/v1/proxy/policies/${id}`);
  }

  /** @param {string} agent @returns {Promise<string | undefined>} the id of its request that waits for a human */
  async waitingOf(agent) {
    const { requests } = await this.#ask('GET', `/v1/approvals/pending?agent_id=${agent}`);
    return requests[0]?.request_id;
  }

  /** @param {string} id @param {'approve' | 'deny'} decision */
  async decide(id, decision) {
    await this.#ask('POST', `/v1/approvals/${id}/${decision}`);
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
    const answer = await this.#api.ask(method, address, { body });
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${address} was answered with ${answer.status}: ${answer.body.error}`);
  }
}
