// @ts-check
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** @typedef {import('@modelcontextprotocol/client').CallToolResult} Answer */
/** @typedef {import('../lib/balancer.mjs').Balancer} Balancer */
/** @typedef {{ name: string, description?: string | undefined }} Tool */

/** An agent of the run: the official client at `/mcp`, with an agent key and a session of its own, behind the balancer. */
export class Agent {
  #client;
  #balancer;

  /**
   * @param {string} name
   * @param {string} session
   * @param {Client} client
   * @param {Balancer} balancer
   */
  constructor(name, session, client, balancer) {
    this.name = name;
    this.session = session;
    this.#client = client;
    this.#balancer = balancer;
  }

  /**
   * @param {import('./operator.mjs').Operator} haldir
   * @param {Balancer} balancer
   * @param {string} name
   */
  static async begin(haldir, balancer, name) {
    const { key } = await haldir.agentKey(name);
    const session = await haldir.beginSession(name);
    const headers = { authorization: `Bearer ${key}`, 'x-session-id': session };
    return new Agent(name, session, await connect(`${balancer.url}/mcp`, headers), balancer);
  }

  /** @param {string} upstream @returns {Promise<Tool[]>} of that upstream, with the names it gave them */
  async tools(upstream) {
    const prefix = `${upstream}__`;
    const { tools } = await this.#client.listTools({}, { cacheMode: 'refresh' });
    return tools
      .filter(({ name }) => name.startsWith(prefix))
      .map((tool) => ({ ...tool, name: tool.name.slice(prefix.length) }));
  }

  /**
   * @param {string} tool `upstream.tool`
   * @param {Record<string, unknown>} [args]
   * @returns {Promise<Answer>}
   */
  async call(tool, args = {}) {
    return /** @type {Answer} */ (await this.#client.callTool({ name: tool.replace('.', '__'), arguments: args }));
  }

  /**
   * Does something until every process of the API was asked in the course of it.
   *
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T[]>} what it answered each time
   */
  async everywhere(act) {
    const reached = new Set();
    const answers = [];
    for (let tries = 0; reached.size < this.#balancer.asked.length && tries < 10; tries++) {
      const before = [...this.#balancer.asked];
      answers.push(await act());
      this.#balancer.asked.forEach((requests, i) => requests > (before[i] ?? 0) && reached.add(i));
    }
    if (reached.size < this.#balancer.asked.length) throw new Error('one process of the API was never asked');
    return answers;
  }

  close() {
    return this.#client.close();
  }
}

/**
 * @param {string} url
 * @param {Record<string, string>} [headers]
 * @param {boolean} [overStream] over an event stream, as in 2024-11-05
 * @returns {Promise<Client>} the official client, connected
 */
export async function connect(url, headers = {}, overStream = false) {
  const client = new Client({ name: 'interop', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const Transport = overStream ? SSEClientTransport : StreamableHTTPClientTransport;
  await client.connect(new Transport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** @param {Answer} answer @returns {string} its texts */
export const textOf = ({ content }) => content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
