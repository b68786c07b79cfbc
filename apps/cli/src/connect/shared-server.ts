import { randomBytes } from 'node:crypto';
import { isObject, type JsonObject, META, METHOD_NOT_FOUND, STATELESS_VERSION } from '@haldir/mcp';
import { BackOff, pause } from './back-off.js';
import { type LocalServer } from './connector.js';
import { Conversation } from './conversation.js';
import { type Exchange } from './exchange.js';
import { firstAnswer, HELLO, ME, START_MS } from './hello.js';
import {
  isStateless,
  McpAnswer,
  McpStream,
  type Posted,
  posted,
  refuse,
  refuseInvalid,
  refuseSession,
} from './mcp-request.js';
import { type ServerCommand } from './server-process.js';

/** A server that knows nothing of the question may keep silent. */
const PROBE_MS = 10_000;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15_000;
/** One that ran for so long did not fail at its start. */
const STEADY_MS = 60_000;
const UNSUPPORTED_VERSION = -32_022;

interface Running {
  conversation: Conversation;
  /** Of the sessions that begin while it runs. */
  prefix: string;
  /** Its answer to `initialize`; null when it needs none (2026-07-28). */
  hello: JsonObject | null;
}

/** The server is gone, or did not come up. */
class ServerLost extends Error {}

/**
 * One server process for everybody: what one session does to it, another sees. It is initialized once, and offered nothing that a
 * client can do. When it exits, the sessions with it are over, and the next request starts it again.
 */
export class SharedServer implements LocalServer {
  readonly perSession = false;
  private running: Running | null = null;
  private starting: Promise<Running> | null = null;
  private mayProbe = true;
  /** Before it is started again. */
  private waitMs = 0;
  private newest: Conversation | null = null;
  private isClosed = false;
  private readonly streams = new Set<McpStream>();
  private readonly backOff = new BackOff(FIRST_WAIT_MS, MAX_WAIT_MS);
  private readonly closing = new AbortController();

  /**
   * @param instance begins the ids of sessions
   * @param said told of lines of its standard error, and when it exits
   * @param probeMs how long it may take to say whether it speaks the revision without sessions
   * @param startMs how long it may take to answer at all
   */
  constructor(
    private readonly command: ServerCommand,
    private readonly instance: string,
    private readonly said: (line: string) => void,
    private readonly room: () => Promise<void> | null = () => null,
    private readonly probeMs = PROBE_MS,
    private readonly startMs = START_MS,
  ) {}

  async prepare(): Promise<void> {
    const { hello } = await this.start();
    const error = hello?.['error'];
    if (isObject(error)) throw new Error(`the server refuses: ${String(error['message'])}`);
  }

  take(exchange: Exchange): void {
    void this.answer(exchange).catch((error: unknown) => {
      this.said(error instanceof Error ? error.message : String(error));
      exchange.fail('reset');
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.closing.abort();
    await this.newest?.end();
  }

  kill(): void {
    this.newest?.kill();
  }

  private async answer(exchange: Exchange): Promise<void> {
    if (exchange.method === 'GET') this.listen(exchange);
    else if (exchange.method === 'DELETE') {
      // There is one server for all sessions: none of them ends it.
      if (this.isSession(exchange)) exchange.answer(200);
      else refuseSession(exchange);
    } else await this.post(exchange, posted(exchange));
  }

  private listen(exchange: Exchange): void {
    if (exchange.headers['mcp-session-id'] === undefined) {
      exchange.answer(405, { allow: 'POST, DELETE' });
      return;
    }
    if (!this.isSession(exchange)) {
      refuseSession(exchange);
      return;
    }
    const stream = new McpStream(exchange);
    this.streams.add(stream);
    exchange.signal.addEventListener('abort', () => this.streams.delete(stream), { once: true });
  }

  private async post(exchange: Exchange, asked: Posted): Promise<void> {
    if (asked.kind === 'invalid') {
      refuseInvalid(exchange);
      return;
    }
    if (asked.kind !== 'request') {
      // Haldir itself has initialized it, tells by leaving that it cancels, and was asked nothing.
      if (exchange.headers['mcp-session-id'] === undefined || this.isSession(exchange)) exchange.answer(202);
      else refuseSession(exchange);
      return;
    }
    if (asked.method === 'initialize') await this.greet(exchange, asked);
    else if (isStateless(exchange.headers, asked.message)) await this.askStateless(exchange, asked);
    else if (this.running?.hello && this.isSession(exchange)) this.ask(this.running, exchange, asked.message);
    else refuseSession(exchange);
  }

  private async greet(exchange: Exchange, { id }: Posted & { kind: 'request' }): Promise<void> {
    const { hello, prefix } = await this.start();
    if (!hello) refuse(exchange, 400, id, UNSUPPORTED_VERSION, `The server speaks ${STATELESS_VERSION} only`);
    else {
      const session: Record<string, string> =
        'result' in hello ? { 'mcp-session-id': prefix + randomBytes(12).toString('hex') } : {};
      new McpAnswer(exchange, session).end({ ...hello, id });
    }
  }

  private async askStateless(exchange: Exchange, { id, method, message }: Posted & { kind: 'request' }): Promise<void> {
    const running = await this.start();
    if (running.hello === null) this.ask(running, exchange, message);
    else if (method === 'server/discover') refuse(exchange, 200, id, METHOD_NOT_FOUND, 'Method not found');
    else refuse(exchange, 400, id, UNSUPPORTED_VERSION, `The server does not speak ${STATELESS_VERSION}`);
  }

  private ask({ conversation }: Running, exchange: Exchange, message: JsonObject): void {
    // It may have waited until the server was there.
    if (exchange.signal.aborted) return;
    const answer = new McpAnswer(exchange);
    const takeBack = conversation.ask(message, {
      heard: (notification) => answer.say(notification),
      answered: (response) => answer.end(response),
      lost: () => exchange.fail('reset'),
    });
    exchange.signal.addEventListener('abort', takeBack, { once: true });
  }

  private isSession({ headers }: Exchange): boolean {
    return this.running !== null && (headers['mcp-session-id'] ?? '').startsWith(this.running.prefix);
  }

  /** @throws ServerLost */
  private start(): Promise<Running> {
    if (this.running) return Promise.resolve(this.running);
    this.starting ??= this.startNow().finally(() => (this.starting = null));
    return this.starting;
  }

  private async startNow(): Promise<Running> {
    await pause(this.waitMs, this.closing.signal);
    const startedAt = performance.now();
    // One that ends because of a question that it does not know is not asked again.
    const running = (await this.tryStart()) ?? (await this.tryStart());
    if (running === null) throw new ServerLost('the connector ends');
    this.running = running;
    void running.conversation.exited.then((how) => this.end(running, how, startedAt));
    // It is told why by its answer, and may be another when it is started again.
    if (running.hello && 'error' in running.hello) void running.conversation.end();
    return running;
  }

  /** Null when it has exited in place of an answer, and may not when it is asked less. @throws ServerLost */
  private async tryStart(): Promise<Running | null> {
    if (this.isClosed) return null;
    const conversation: Conversation = new Conversation(this.command, {
      unasked: (message) => this.unasked(conversation, message),
      said: this.said,
      room: this.room,
    });
    this.newest = conversation;
    const { mayProbe } = this;
    const asking = mayProbe ? this.probe(conversation) : this.initialize(conversation);
    const { answer: hello, isLate } = await firstAnswer(asking, this.startMs, () => conversation.end());
    const prefix = `${this.instance}.${randomBytes(4).toString('hex')}-`;
    if (hello !== undefined && !isLate) {
      // What was refused may be the question.
      if (!mayProbe && hello && 'error' in hello) this.mayProbe = true;
      return { conversation, prefix, hello };
    }
    const how = await conversation.exited;
    // One that hung may have done so because of the question, too.
    this.mayProbe = !mayProbe;
    if (mayProbe && !isLate) return null;
    this.waitMs = this.backOff.next();
    throw new ServerLost(`${this.command.program} ${isLate ? `gives no answer, and ${how}` : how}`);
  }

  /** Null when it speaks without sessions; else its answer to `initialize`, undefined when it has exited instead. */
  private async probe(conversation: Conversation): Promise<JsonObject | null | undefined> {
    const _meta = {
      [META.protocolVersion]: STATELESS_VERSION,
      [META.clientInfo]: ME,
      [META.clientCapabilities]: {},
    };
    let isStateless: boolean | null = null;
    const asking = this.question(conversation, { method: 'server/discover', params: { _meta } }).then((response) => {
      const result = response?.['result'];
      const versions = isObject(result) ? result['supportedVersions'] : undefined;
      isStateless = Array.isArray(versions) && versions.includes(STATELESS_VERSION);
    });
    const timer = new AbortController();
    await Promise.race([asking, pause(this.probeMs, timer.signal)]);
    timer.abort();
    if (isStateless as boolean | null) return null;
    const hello = await this.initialize(conversation);
    // One that was slow to come up has answered both, in order, and goes on as it was asked first.
    if (hello && 'error' in hello && (isStateless as boolean | null)) return null;
    if (isStateless === null) this.mayProbe = false;
    return hello;
  }

  /** Its answer; undefined when it has exited instead. */
  private async initialize(conversation: Conversation): Promise<JsonObject | undefined> {
    const hello = await this.question(conversation, HELLO);
    if (hello) conversation.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return hello;
  }

  private question(conversation: Conversation, request: JsonObject): Promise<JsonObject | undefined> {
    return new Promise((resolve) => {
      const asker = { heard: () => undefined, answered: resolve, lost: () => resolve(undefined) };
      conversation.ask({ jsonrpc: '2.0', id: 0, ...request }, asker);
    });
  }

  /** What concerns no request goes to all; a server that asks is told that nobody is there to answer. */
  private unasked(conversation: Conversation, message: JsonObject): void {
    if ('id' in message) {
      const outcome =
        message['method'] === 'ping'
          ? { result: {} }
          : { error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
      conversation.tell({ jsonrpc: '2.0', id: message['id'], ...outcome });
    } else for (const stream of this.streams) stream.say(message);
  }

  private end(running: Running, how: string, startedAt: number): void {
    if (this.running === running) this.running = null;
    for (const stream of this.streams) stream.end();
    this.streams.clear();
    if (this.isClosed) return;
    this.said(`the server ${how}; the next request starts it again`);
    if (performance.now() - startedAt > STEADY_MS) this.backOff.reset();
    this.waitMs = this.backOff.next();
  }
}
