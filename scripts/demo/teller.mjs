// @ts-check
// Makes the requests of the story and shows them, without what is secret in them.
import { say } from '../launcher/console.mjs';

/** @typedef {{ status: number, body: any }} Answer */

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {string} method
 * @property {string} path
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {string} [as] the key that asks; the story's own otherwise
 * @property {number} status that it should be answered with
 * @property {(body: any) => boolean} [expect] what of the answer should be so
 * @property {string} [moral] said when all is as it should be
 */

/** A step was answered otherwise than the story goes. */
export class StoryBroken extends Error {}

const TIMEOUT_MS = 20_000;
const SHOWN_CHARS = 400;
/** Whoever holds one of these may act with it. */
const CREDENTIAL = /\b(whsec_[\w+/]{4}|hld_\w{4}|ses_\w{4})((?<=whsec_.{4})[\w+/=]+|\w+)/g;

export class Teller {
  /** @type {string[]} */
  #secrets = [];
  #steps = 0;

  /**
   * @param {string} url
   * @param {AbortSignal} signal
   */
  constructor(url, signal) {
    this.url = url;
    this.signal = signal;
    /** @type {string | null} of the requests to come */
    this.key = null;
  }

  /**
   * Never to be shown, from now on.
   *
   * @param {string} secret
   */
  hide(secret) {
    this.#secrets.push(secret);
  }

  /**
   * Makes a request, shows it and its answer, and holds the answer against what the story wants.
   *
   * @param {Step} step
   * @returns {Promise<any>} the body
   * @throws StoryBroken
   * @throws when the story was interrupted; a request that is under way then is finished, so that what it made is known
   */
  async tell({ title, method, path, body, headers, as = this.key ?? undefined, status, expect, moral }) {
    this.signal.throwIfAborted();
    say(`\n${++this.#steps}. ${title}`);
    say(`   → ${method} ${this.#shown(path)}${body === undefined ? '' : ` ${this.#shown(JSON.stringify(body))}`}`);
    const answer = await this.ask(method, path, { body, headers, key: as ?? null });
    say(`   ← ${answer.status} ${this.#shown(JSON.stringify(answer.body))}`);
    if (answer.status !== status) throw new StoryBroken(`"${title}" should be answered with ${status}`);
    if (expect && !expect(answer.body)) throw new StoryBroken(`"${title}" was not answered as it should be`);
    if (moral !== undefined) say(`   ✓ ${moral}`);
    return answer.body;
  }

  /**
   * Something the story does itself.
   *
   * @param {string} title
   * @param {() => Promise<string[]>} work answers what to show of it
   */
  async act(title, work) {
    this.signal.throwIfAborted();
    say(`\n${++this.#steps}. ${title}`);
    for (const line of await work()) say(`   ${this.#shown(line)}`);
  }

  /**
   * A request that is not shown; an interruption does not keep it from being made, since what was made is to be removed.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ body?: object | undefined, headers?: Record<string, string> | undefined, key?: string | null }} [more]
   * @returns {Promise<Answer>}
   */
  async ask(method, path, { body, headers, key = this.key } = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      throw new StoryBroken(`${method} ${this.#shown(path)} was answered with ${response.status} and no JSON`);
    }
  }

  /** @param {string} text */
  #shown(text) {
    const hidden = this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, `${secret.slice(0, 8)}…`), text);
    const short = hidden.replace(CREDENTIAL, '$1…');
    return short.length > SHOWN_CHARS ? `${short.slice(0, SHOWN_CHARS)} …` : short;
  }
}
