// @ts-check
const TIMEOUT_MS = 20_000;

/** @typedef {{ status: number, body: any }} Answer */

/** Makes requests of scripts to a Haldir's REST API. */
export class ApiClient {
  /** @type {string | null} of the requests to come that do not say otherwise */
  key = null;
  #signal;

  /**
   * @param {string} url
   * @param {AbortSignal} [signal] ends requests that are under way
   */
  constructor(url, signal) {
    this.url = url;
    this.#signal = signal;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ body?: object | undefined, headers?: Record<string, string> | undefined, key?: string | null }} [more]
   * @returns {Promise<Answer>} of any status
   * @throws Error when it is not answered in 20 s, or not with JSON
   */
  async ask(method, path, { body, headers, key = this.key } = {}) {
    const late = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: this.#signal === undefined ? late : AbortSignal.any([this.#signal, late]),
    });
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      throw new Error(
        `${method} ${path.replace(/\bses_\w+/, 'ses_…')} was answered with ${response.status} and no JSON`,
      );
    }
  }
}
