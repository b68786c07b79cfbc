import { isObject, type JsonObject } from '@haldir/mcp';
import { type Claim, type ClaimedExchange, type Lease } from './wire.js';

/** Haldir cannot be reached, or is busy: another try may do. */
export class Unavailable extends Error {
  /**
   * @param retryAfterMs as it asks, a minute at most; null where it does not
   * @param isThere it was reached, and had enough of that for now
   */
  constructor(
    message: string,
    readonly retryAfterMs: number | null = null,
    readonly isThere = false,
  ) {
    super(message);
  }
}

/** Haldir knows nothing of this instance any more, which has to take its lease again. */
export class LeaseLost extends Error {}

/** Haldir says no, and will say so again. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Beyond the time that a claim waits by itself. */
const SLACK_MS = 15_000;
const REQUEST_MS = 20_000;
const END_MS = 2_000;
/** Limits are by the hour, and may be raised meanwhile. */
const MAX_WAIT_MS = 60_000;

const isBusy = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** The five requests that a connector makes, as one instance of it. */
export class ConnectorApi {
  private readonly base: URL;
  private readonly headers: Readonly<Record<string, string>>;

  /**
   * @param haldir ends in a slash
   * @param name of the upstream
   * @param instance chosen at random by each process
   */
  constructor(
    readonly haldir: URL,
    key: string,
    name: string,
    readonly instance: string,
  ) {
    this.base = new URL(`v1/connectors/${encodeURIComponent(name)}/`, haldir);
    this.headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  }

  /** Takes the lease, or renews it. @throws Unavailable, Refused */
  async lease(perSession: boolean, version: string, signal: AbortSignal): Promise<Lease> {
    const body = JSON.stringify({ instance: this.instance, per_session: perSession, version });
    const answer = await this.ask('PUT', 'lease', body, signal, REQUEST_MS, false);
    return {
      leaseSeconds: numberIn(answer, 'lease_seconds'),
      heartbeatSeconds: numberIn(answer, 'heartbeat_seconds'),
      waitSeconds: numberIn(answer, 'wait_seconds'),
      maxPartBytes: numberIn(answer, 'max_part_bytes'),
    };
  }

  /** Waits for exchanges. @throws Unavailable, LeaseLost, Refused */
  async claim(max: number, waitSeconds: number, signal: AbortSignal): Promise<Claim> {
    const body = JSON.stringify({ instance: this.instance, max });
    const answer = await this.ask('POST', 'exchanges/claim', body, signal, waitSeconds * 1000 + SLACK_MS, true);
    return { exchanges: listIn(answer, 'exchanges').map(toExchange), cancelled: textsIn(answer, 'cancelled') };
  }

  /**
   * Hands parts of answers over. The same part may be handed over again.
   *
   * @param parts each as its JSON
   * @returns exchanges that nobody waits for any more
   * @throws Unavailable, LeaseLost, Refused
   */
  async answer(parts: readonly string[], signal: AbortSignal): Promise<string[]> {
    const body = `{"instance":${JSON.stringify(this.instance)},"parts":[${parts.join(',')}]}`;
    return textsIn(await this.ask('POST', 'exchanges/answers', body, signal, REQUEST_MS, true), 'gone');
  }

  /** Values of secrets that the key was allowed. @throws Unavailable, Refused */
  async secrets(names: readonly string[], signal: AbortSignal): Promise<Map<string, string>> {
    const { values } = await this.ask('POST', 'secrets', JSON.stringify({ names }), signal, REQUEST_MS, false).catch(
      (error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        throw new Refused(
          error.status,
          error.message.replace(/names\[(\d+)\]/g, (_, at) => names[Number(at)] ?? ''),
        );
      },
    );
    return new Map(
      names.map((name) => {
        const value = isObject(values) && Object.hasOwn(values, name) ? values[name] : undefined;
        if (typeof value !== 'string') throw unexpected();
        return [name, value];
      }),
    );
  }

  /** Gives the lease back; it ends by itself where that fails. */
  async end(): Promise<void> {
    const body = JSON.stringify({ instance: this.instance });
    await this.ask('DELETE', 'lease', body, new AbortController().signal, END_MS, false).catch(() => undefined);
  }

  private async ask(
    method: string,
    path: string,
    body: string,
    signal: AbortSignal,
    ms: number,
    needsLease: boolean,
  ): Promise<JsonObject> {
    const response = await this.reach(method, path, body, AbortSignal.any([signal, AbortSignal.timeout(ms)]));
    const { status } = response;
    const said = await read(response);
    if (response.ok) return said;
    const message = typeof said['error'] === 'string' ? said['error'] : `it answered with HTTP ${status}`;
    if (isBusy(status)) throw new Unavailable(message, retryAfter(response), status === 429);
    if (needsLease && status === 409) throw new LeaseLost(message);
    throw new Refused(status, message);
  }

  private async reach(method: string, path: string, body: string, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(new URL(path, this.base), { method, headers: this.headers, body, signal, redirect: 'manual' });
    } catch {
      throw new Unavailable(`Haldir cannot be reached at ${this.haldir.origin}`);
    }
  }
}

async function read(response: Response): Promise<JsonObject> {
  let text: string;
  try {
    text = await response.text();
  } catch {
    throw new Unavailable('the connection to Haldir broke');
  }
  if (text === '') return {};
  try {
    const said: unknown = JSON.parse(text);
    return isObject(said) ? said : {};
  } catch {
    return {};
  }
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_WAIT_MS) : null;
}

const unexpected = (): Refused => new Refused(200, 'what answers there is no Haldir that knows connectors');

function numberIn(answer: JsonObject, name: string): number {
  const value = answer[name];
  if (typeof value !== 'number' || !(value > 0)) throw unexpected();
  return value;
}

function listIn(answer: JsonObject, name: string): unknown[] {
  const value = answer[name];
  if (!Array.isArray(value)) throw unexpected();
  return value;
}

function textsIn(answer: JsonObject, name: string): string[] {
  return listIn(answer, name).filter((value) => typeof value === 'string');
}

function toExchange(value: unknown): ClaimedExchange {
  if (!isObject(value) || typeof value['id'] !== 'string' || typeof value['method'] !== 'string') throw unexpected();
  const { id, method, headers, body } = value;
  return {
    id,
    method,
    deadlineMs: numberIn(value, 'deadline_ms'),
    headers: isObject(headers) ? (headers as Record<string, string>) : {},
    body: typeof body === 'string' ? body : null,
  };
}
