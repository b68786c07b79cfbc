import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import { type AnswerPart } from './wire.js';

/** What a request that went through a connector was answered with. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** What has come so far. */
  body: string;
  isWhole: boolean;
  failed: string | null;
}

export interface Asked {
  id: string;
  answer: Answer;
  /** Resolves at the last part. */
  readonly whole: Promise<Answer>;
  /** Tells the connector that nobody waits any more. */
  cancel(): void;
}

interface Request {
  method: string;
  url: string;
  body: Record<string, unknown>;
}

const LEASE = { lease_seconds: 30, heartbeat_seconds: 10, wait_seconds: 25, max_part_bytes: 262_144 };

/** A server that speaks the connectors' part of Haldir, for one upstream: what is asked of it goes to whoever claims it. */
export class HaldirServer {
  /** What came, in order. */
  readonly requests: Request[] = [];
  /** Sent in place of an answer, to requests whose `METHOD path` begins so. */
  refusals = new Map<string, { status: number; body?: unknown; times: number }>();
  lease = { ...LEASE };
  secrets: Record<string, string> = {};
  private ids = 0;
  private waiting: { max: number; answer: (claim: unknown) => void }[] = [];
  private queued: object[] = [];
  private cancelled: string[] = [];
  private readonly asked = new Map<string, { seq: number; answer: Answer; done: (answer: Answer) => void }>();

  private constructor(
    readonly url: URL,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<HaldirServer> {
    let haldir: HaldirServer | null = null;
    const server = createServer((request, response) => void haldir?.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    haldir = new HaldirServer(new URL(`http://127.0.0.1:${port}/`), async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return haldir;
  }

  /** Asks the connector something, as Haldir's MCP client does. */
  ask(
    method: string,
    headers: Record<string, string> = {},
    body: unknown = null,
    { deadlineMs = 30_000 }: { deadlineMs?: number } = {},
  ): Asked {
    const id = `x${++this.ids}`;
    const answer: Answer = { status: 0, headers: {}, body: '', isWhole: false, failed: null };
    const whole = new Promise<Answer>((done) => this.asked.set(id, { seq: 0, answer, done }));
    const text = body === null ? null : typeof body === 'string' ? body : JSON.stringify(body);
    this.queued.push({ id, deadline_ms: deadlineMs, method, headers, body: text });
    this.hand();
    return { id, answer, whole, cancel: () => this.cancel(id) };
  }

  /** Those of one kind, by `METHOD path`. */
  requestsTo(place: string): Request[] {
    return this.requests.filter(({ method, url }) => `${method} ${url}`.startsWith(place));
  }

  get waitingClaims(): number {
    return this.waiting.length;
  }

  /** Waits for that no more; the connector finds out by answering. */
  forget(id: string): void {
    this.asked.delete(id);
  }

  private cancel(id: string): void {
    this.asked.delete(id);
    this.cancelled.push(id);
    this.hand();
  }

  /** Gives what there is to the first who waits. */
  private hand(): void {
    while (this.waiting.length > 0 && this.queued.length + this.cancelled.length > 0) {
      const { max, answer } = this.waiting.shift()!;
      answer({ exchanges: this.queued.splice(0, max), cancelled: this.cancelled.splice(0) });
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const text = await bodyOf(request);
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    this.requests.push({ method, url, body });
    const say = (status: number, said: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    };
    const place = `${method} ${url}`;
    for (const [prefix, refusal] of this.refusals) {
      if (!place.startsWith(prefix) || refusal.times-- <= 0) continue;
      say(refusal.status, refusal.body ?? { error: 'refused' });
      return;
    }
    if (request.headers.authorization !== 'Bearer key') say(401, { error: 'Invalid API key' });
    else if (place.endsWith('/claim')) {
      const turn = { max: Number(body['max']), answer: (claim: unknown) => say(200, claim) };
      this.waiting.push(turn);
      response.once('close', () => (this.waiting = this.waiting.filter((each) => each !== turn)));
      this.hand();
    } else if (place.endsWith('/answers')) say(200, { gone: this.take(body['parts'] as AnswerPart[]) });
    else if (place.endsWith('/secrets')) this.tell(body['names'] as string[], say);
    else say(200, method === 'PUT' ? this.lease : {});
  }

  private tell(names: string[], say: (status: number, said: unknown) => void): void {
    const unknown = names.flatMap((name, at) => (name in this.secrets ? [] : [`names[${at}]`]));
    if (unknown.length > 0) say(403, { error: `${unknown.join(', ')}: not among the secrets` });
    else say(200, { values: Object.fromEntries(names.map((name) => [name, this.secrets[name]])) });
  }

  private take(parts: AnswerPart[]): string[] {
    return parts.flatMap((part) => {
      const asked = this.asked.get(part.id);
      if (!asked) return [part.id];
      if (part.seq < asked.seq) return [];
      if (part.seq > asked.seq) throw new Error(`part ${part.seq} of ${part.id} came before part ${asked.seq}`);
      asked.seq++;
      const { answer } = asked;
      if (part.seq === 0) Object.assign(answer, { status: part.status ?? 0, headers: part.headers ?? {} });
      answer.body += part.data;
      if (!part.last) return [];
      this.asked.delete(part.id);
      Object.assign(answer, { isWhole: true, failed: part.failed ?? null });
      asked.done(answer);
      return [];
    });
  }
}
