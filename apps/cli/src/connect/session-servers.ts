import { randomBytes } from 'node:crypto';
import { ELICITATION_META, isObject, type JsonObject, METHOD_NOT_FOUND } from '@haldir/mcp';
import { type LocalServer } from './connector.js';
import { type Exchange } from './exchange.js';
import { firstAnswer, HELLO, START_MS } from './hello.js';
import {
  INTERNAL_ERROR,
  isStateless,
  McpAnswer,
  type Posted,
  posted,
  refuse,
  refuseInvalid,
  refuseSession,
} from './mcp-request.js';
import { type ServerCommand } from './server-process.js';
import { SessionServer } from './session-server.js';

const LOOK_EVERY_MS = 30_000;

export interface SessionLimits {
  /** Server processes at once. */
  maxSessions: number;
  /** After which one that nobody has used is ended. */
  idleMs: number;
}

/** A server process for each session, which ends with it: what one session does, another does not see. */
export class SessionServers implements LocalServer {
  readonly perSession = true;
  /** By the id of the session. */
  private readonly sessions = new Map<string, SessionServer>();
  /** Those that end are among them until they have. */
  private readonly running = new Set<SessionServer>();
  private readonly timer: NodeJS.Timeout;
  private isClosed = false;

  /**
   * @param instance begins the ids of sessions
   * @param said told of lines of their standard errors, and when one exits by itself
   * @param startMs how long the first may take to answer
   */
  constructor(
    private readonly command: ServerCommand,
    private readonly instance: string,
    private readonly said: (line: string) => void,
    private readonly limits: SessionLimits,
    private readonly room: () => Promise<void> | null = () => null,
    private readonly startMs = START_MS,
  ) {
    this.timer = setInterval(() => this.endIdle(), Math.min(LOOK_EVERY_MS, limits.idleMs)).unref();
  }

  /** Starts one and ends it again: what has to be fetched first is, and what does not work is said. */
  async prepare(): Promise<void> {
    const session = this.start();
    const greeted = new Promise<JsonObject | null>((resolve) => session.greet(HELLO, resolve, () => resolve(null)));
    const { answer, isLate } = await firstAnswer(greeted, this.startMs, () => session.end());
    void session.end();
    const how = await session.exited;
    if (this.isClosed) return;
    if (!answer || isLate) throw new Error(`${this.command.program} ${isLate ? `gives no answer, and ${how}` : how}`);
    const error = answer['error'];
    if (isObject(error)) throw new Error(`the server refuses: ${String(error['message'])}`);
  }

  take(exchange: Exchange): void {
    const id = exchange.headers['mcp-session-id'];
    const session = id === undefined ? undefined : this.sessions.get(id);
    if (exchange.method === 'POST') this.post(exchange, posted(exchange), session);
    else if (!session) refuseSession(exchange);
    else if (exchange.method === 'GET') session.listen(exchange);
    else {
      this.forget(session);
      void session.end();
      exchange.answer(200);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    await Promise.all([...this.running].map((session) => session.end()));
  }

  kill(): void {
    for (const session of this.running) session.kill();
  }

  private post(exchange: Exchange, asked: Posted, session: SessionServer | undefined): void {
    if (asked.kind === 'invalid') refuseInvalid(exchange);
    else if (asked.kind === 'request' && asked.method === 'initialize') this.begin(exchange, asked);
    else if (session) session.take(exchange, asked);
    else if (asked.kind === 'request' && isStateless(exchange.headers, asked.message))
      // Requests that stand alone belong to no session, which is what this is for.
      refuse(exchange, 200, asked.id, METHOD_NOT_FOUND, 'Method not found: a session is needed');
    else refuseSession(exchange);
  }

  private begin(exchange: Exchange, { id, message }: Posted & { kind: 'request' }): void {
    if (this.isClosed) {
      exchange.fail('reset');
      return;
    }
    if (this.running.size >= this.limits.maxSessions) {
      const most = `The connector has ${this.limits.maxSessions} sessions, as many as it may (--max-sessions)`;
      refuse(exchange, 503, id, INTERNAL_ERROR, most);
      return;
    }
    const session = this.start();
    const answer = new McpAnswer(exchange);
    const greeted = (response: JsonObject): void => {
      if (!('result' in response) || exchange.signal.aborted) {
        void session.end();
        answer.end(response);
        return;
      }
      const name = `${this.instance}.${randomBytes(16).toString('hex')}`;
      this.sessions.set(name, session);
      answer.end(response, { 'mcp-session-id': name });
    };
    session.greet(taken(message), greeted, () => exchange.fail('reset'));
    exchange.signal.addEventListener('abort', () => void session.end(), { once: true });
  }

  private start(): SessionServer {
    const session = new SessionServer(this.command, this.said, this.room);
    this.running.add(session);
    void session.exited.then((how) => {
      this.running.delete(session);
      if (this.forget(session)) this.said(`the server of a session ${how}`);
    });
    return session;
  }

  /** False when it was none any more. */
  private forget(session: SessionServer): boolean {
    for (const [id, each] of this.sessions) if (each === session) return this.sessions.delete(id);
    return false;
  }

  private endIdle(): void {
    for (const session of this.sessions.values()) {
      if (session.idleMs() < this.limits.idleMs) continue;
      this.forget(session);
      void session.end();
    }
  }
}

/** The greeting with what Haldir offers a server that asks on the stream of a call, as all do here, among what the client can do. */
function taken(greeting: JsonObject): JsonObject {
  const { _meta: meta, capabilities, ...params } = isObject(greeting['params']) ? greeting['params'] : {};
  const { [ELICITATION_META]: elicitation, ...others } = isObject(meta) ? meta : {};
  if (!isObject(elicitation)) return greeting;
  return {
    ...greeting,
    params: {
      ...params,
      capabilities: { ...(isObject(capabilities) ? capabilities : {}), elicitation },
      ...(Object.keys(others).length === 0 ? {} : { _meta: others }),
    },
  };
}
