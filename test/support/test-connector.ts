import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from './client.js';

/** A request as a connector is given it. */
export interface ClaimedExchange {
  id: string;
  deadline_ms: number;
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

/** A part of an answer, as it is sent. */
export interface SentPart {
  id: string;
  seq: number;
  status?: number;
  headers?: Record<string, string>;
  data?: string;
  last?: boolean;
  failed?: 'reset' | 'timeout';
}

/** A connector of a test, which makes what it is asked of a server on loopback. */
export interface TestConnector {
  readonly instance: string;
  /** What it was given, in order. */
  readonly claimed: ClaimedExchange[];
  /** Ids that it was told nobody waits for: with claims, and with its answers. */
  readonly cancelled: string[];
  readonly gone: string[];
  /** Ends its lease, and itself. */
  stop(): Promise<void>;
  /** As if it were killed: it says nothing any more. */
  kill(): void;
}

interface ConnectorOptions {
  /** Where Haldir is. */
  url: string;
  /** Its connector key. */
  key: string;
  name: string;
  /** The MCP server that it stands before; or what answers in its place. */
  server: string | ((exchange: ClaimedExchange) => Promise<Omit<SentPart, 'id' | 'seq'>[]>);
  perSession?: boolean;
  instance?: string;
  /** Claims that wait at once. */
  claims?: number;
}

const KEPT = ['content-type', 'mcp-session-id'];

/** Resolves once it has its lease. */
export async function startConnector(options: ConnectorOptions): Promise<TestConnector> {
  const connector = new HttpConnector(options);
  await connector.start();
  return connector;
}

class HttpConnector implements TestConnector {
  readonly instance: string;
  readonly claimed: ClaimedExchange[] = [];
  readonly cancelled: string[] = [];
  readonly gone: string[] = [];
  private readonly client: Client;
  private readonly path: string;
  private readonly over = new AbortController();
  private readonly making = new Map<string, AbortController>();
  private queue: SentPart[] = [];
  private sending = false;
  private claims: Promise<void>[] = [];
  private heartbeat: NodeJS.Timeout | undefined;

  constructor(private readonly options: ConnectorOptions) {
    this.instance = options.instance ?? randomBytes(12).toString('hex');
    this.client = new Client(options.url, options.key);
    this.path = `/v1/connectors/${options.name}`;
  }

  async start(): Promise<void> {
    await this.hold();
    this.heartbeat = setInterval(() => void this.hold().catch(() => undefined), 5_000);
    this.claims = Array.from({ length: this.options.claims ?? 2 }, () => this.claim());
  }

  async stop(): Promise<void> {
    this.kill();
    await Promise.all(this.claims);
    // The process that is asked may be gone.
    await this.client.send('DELETE', `${this.path}/lease`, { instance: this.instance }).catch(() => undefined);
  }

  kill(): void {
    clearInterval(this.heartbeat);
    this.over.abort();
    for (const making of this.making.values()) making.abort();
  }

  private async hold(): Promise<void> {
    const body = { instance: this.instance, per_session: this.options.perSession ?? true, version: 'test' };
    const { status, body: answer } = await this.client.put(`${this.path}/lease`, body);
    if (status !== 200) throw new Error(`no lease: ${status} ${JSON.stringify(answer)}`);
  }

  private async claim(): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      try {
        const path = `${this.path}/exchanges/claim`;
        const { status, body } = await this.client.send<{ exchanges: ClaimedExchange[]; cancelled: string[] }>(
          ...(['POST', path, { instance: this.instance, max: 32 }, {}, signal] as const),
        );
        if (status === 409) await this.hold();
        else if (status !== 200) await pause(50);
        else {
          for (const id of body.cancelled) this.making.get(id)?.abort();
          this.cancelled.push(...body.cancelled);
          for (const exchange of body.exchanges) void this.make(exchange);
        }
      } catch {
        // The process that it waited at is gone, or a database is.
        if (!signal.aborted) await pause(50);
      }
    }
  }

  private async make(exchange: ClaimedExchange): Promise<void> {
    this.claimed.push(exchange);
    const { server } = this.options;
    const making = new AbortController();
    this.making.set(exchange.id, making);
    let seq = 0;
    const send = (part: Omit<SentPart, 'id' | 'seq'>): void => this.send({ id: exchange.id, seq: seq++, ...part });
    try {
      if (typeof server === 'string') await this.ask(server, exchange, making.signal, send);
      else for (const part of await server(exchange)) send(part);
    } catch {
      if (!making.signal.aborted) send({ failed: 'reset' });
    } finally {
      this.making.delete(exchange.id);
    }
  }

  private async ask(
    server: string,
    { method, headers, body }: ClaimedExchange,
    signal: AbortSignal,
    send: (part: Omit<SentPart, 'id' | 'seq'>) => void,
  ): Promise<void> {
    const { 'mcp-session-id': session, ...others } = headers;
    const own: Record<string, string> =
      session === undefined ? {} : { 'mcp-session-id': session.slice(this.instance.length + 1) };
    const answer = await fetch(server, { method, headers: { ...others, ...own }, body, signal });
    const kept = Object.fromEntries([...answer.headers].filter(([name]) => KEPT.includes(name)));
    if (kept['mcp-session-id'] !== undefined) kept['mcp-session-id'] = `${this.instance}.${kept['mcp-session-id']}`;
    const first = { status: answer.status, headers: kept };
    if (!(kept['content-type'] ?? '').startsWith('text/event-stream')) {
      send({ ...first, data: await answer.text(), last: true });
      return;
    }
    const decoder = new TextDecoder();
    send(first);
    for await (const chunk of answer.body ?? []) send({ data: decoder.decode(chunk, { stream: true }) });
    send({ last: true });
  }

  /** What gathers while an answer is on its way goes with the next. */
  private send(part: SentPart): void {
    this.queue.push(part);
    if (!this.sending) void this.flush();
  }

  private async flush(): Promise<void> {
    this.sending = true;
    while (this.queue.length > 0 && !this.over.signal.aborted) {
      const parts = this.queue.splice(0, 64);
      try {
        const path = `${this.path}/exchanges/answers`;
        const { status, body } = await this.client.post<{ gone: string[] }>(path, { instance: this.instance, parts });
        if (status === 200) this.gone.push(...body.gone);
        else if (status >= 500) throw new Error('again');
      } catch {
        // Parts that were taken before are known by their numbers.
        this.queue.unshift(...parts);
        await pause(50);
      }
    }
    this.sending = false;
  }
}
