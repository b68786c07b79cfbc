// Makes the requests of the scenario and shows them, without what is secret in them.
import { say } from '../launcher/console.mjs';
import { ApiClient } from '../lib/api-client.mjs';

export interface Step {
  title: string;
  method: string;
  path: string;
  body?: object;
  headers?: Record<string, string>;
  /** The key that asks; the scenario's own otherwise */
  as?: string;
  /** That it should be answered with */
  status: number;
  /** What of the answer should be so */
  expect?: (body: any) => boolean;
  /** Said when all is as it should be */
  meaning?: string;
}

/** A step was not answered as the scenario says. */
export class ScenarioFailed extends Error {}

const SHOWN_CHARS = 400;
/** Whoever holds one of these may act with it. */
const CREDENTIAL = /\b(whsec_[\w+/]{4}|hld_\w{4}|ses_\w{4})((?<=whsec_.{4})[\w+/=]+|\w+)/g;

/** Requests by `ask` are not shown, and an interruption does not end them: what was made is to be removed. */
export class ScenarioRunner extends ApiClient {
  #secrets: string[] = [];
  #steps = 0;

  constructor(
    url: string,
    readonly signal: AbortSignal,
  ) {
    super(url);
  }

  /** Never to be shown, from now on. */
  hide(secret: string) {
    this.#secrets.push(secret);
  }

  /**
   * Makes a request, shows it and its answer, and holds the answer against what the scenario expects.
   *
   * @returns the body
   * @throws ScenarioFailed
   * @throws when the scenario was interrupted; a request that is under way then is finished, so that what it made is known
   */
  async request({
    title,
    method,
    path,
    body,
    headers,
    as = this.key ?? undefined,
    status,
    expect,
    meaning,
  }: Step): Promise<any> {
    this.signal.throwIfAborted();
    say(`\n${++this.#steps}. ${title}`);
    say(`   → ${method} ${this.#shown(path)}${body === undefined ? '' : ` ${this.#shown(JSON.stringify(body))}`}`);
    const answer = await this.ask(method, path, { body, headers, key: as ?? null });
    say(`   ← ${answer.status} ${this.#shown(JSON.stringify(answer.body))}`);
    if (answer.status !== status) throw new ScenarioFailed(`"${title}" should be answered with ${status}`);
    if (expect && !expect(answer.body)) throw new ScenarioFailed(`"${title}" was not answered as it should be`);
    if (meaning !== undefined) say(`   ✓ ${meaning}`);
    return answer.body;
  }

  /**
   * Something the scenario does itself.
   *
   * @param work answers what to show of it
   */
  async note(title: string, work: () => Promise<string[]>) {
    this.signal.throwIfAborted();
    say(`\n${++this.#steps}. ${title}`);
    for (const line of await work()) say(`   ${this.#shown(line)}`);
  }

  #shown(text: string) {
    const hidden = this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, `${secret.slice(0, 8)}…`), text);
    const short = hidden.replace(CREDENTIAL, '$1…');
    return short.length > SHOWN_CHARS ? `${short.slice(0, SHOWN_CHARS)} …` : short;
  }
}
