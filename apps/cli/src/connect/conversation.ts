import { isObject, type JsonObject, type RequestId, requestIdIn } from '@haldir/mcp';
import { type ServerCommand, ServerProcess } from './server-process.js';

/** Who asks the server something. */
export interface Asker {
  /** Told what the server says of this request before it answers. */
  heard(notification: JsonObject): void;
  answered(response: JsonObject): void;
  /** The server is gone; there will be no answer. */
  lost(): void;
}

/** What the server says of nobody's request. */
export interface Bystander {
  /** A request of the server, or a notification. */
  unasked(message: JsonObject): void;
  said(line: string): void;
  room(): Promise<void> | null;
}

interface Pending {
  asker: Asker;
  /** As the asker gave them. */
  id: RequestId;
  token: RequestId | null;
}

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/**
 * Requests of many to one server process. Each has an id of its own there, which is its progress token as well, so that those of
 * different askers are never mistaken for each other.
 */
export class Conversation {
  readonly exited: Promise<string>;
  private readonly process: ServerProcess;
  private readonly pending = new Map<number, Pending>();
  /** Requests that wait until the server reads, by their ids there, which are among those that are pending. */
  private readonly held = new Map<number, JsonObject>();
  private lastId = 0;
  private isOver = false;

  constructor(
    command: ServerCommand,
    private readonly bystander: Bystander,
  ) {
    this.process = new ServerProcess(command, {
      heard: (message) => this.hear(message),
      said: (line) => bystander.said(line),
      room: () => bystander.room(),
      drained: () => this.sendHeld(),
    });
    this.exited = this.process.exited.finally(() => {
      this.isOver = true;
      const lost = [...this.pending.values()];
      this.pending.clear();
      this.held.clear();
      for (const { asker } of lost) asker.lost();
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Whether anybody waits for an answer. */
  get isBusy(): boolean {
    return this.pending.size > 0;
  }

  /** Whether the server does not read as fast as it is told. */
  get isFull(): boolean {
    return this.process.isFull;
  }

  /**
   * @param request with the id that its answer is to have
   * @returns takes the request back: the server is told, and whatever it says of it goes nowhere
   */
  ask(request: JsonObject, asker: Asker): () => void {
    const id = requestIdIn(request['id']);
    if (id === null) throw new Error('a request has an id');
    const own = ++this.lastId;
    if (this.isOver) {
      asker.lost();
      return () => undefined;
    }
    const token = tokenIn(request);
    this.pending.set(own, { asker, id, token });
    this.held.set(own, { ...(token === null ? request : withToken(request, own)), id: own });
    this.sendHeld();
    return () => {
      // What it was not sent yet it never is.
      if (!this.pending.delete(own) || this.held.delete(own) || request['method'] === 'initialize') return;
      this.process.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: own } });
    };
  }

  /** Passes on what wants no answer: a notification, or an answer to a request of the server. */
  tell(message: JsonObject): void {
    this.process.send(message);
  }

  end(): Promise<void> {
    return this.process.end();
  }

  kill(): void {
    this.process.kill();
  }

  private sendHeld(): void {
    for (const [own, request] of this.held) {
      if (this.process.isFull) return;
      this.held.delete(own);
      this.process.send(request);
    }
  }

  private hear(message: JsonObject): void {
    if (typeof message['method'] !== 'string') {
      this.take(message);
      return;
    }
    const params = isObject(message['params']) ? message['params'] : {};
    if (message['method'] === 'notifications/progress') {
      const found = this.pendingOf(params['progressToken']);
      if (found) found.asker.heard({ ...message, params: { ...params, progressToken: found.token } });
      return;
    }
    const meta = params['_meta'];
    if (isObject(meta) && SUBSCRIPTION in meta) {
      const found = this.pendingOf(meta[SUBSCRIPTION]);
      if (found) found.asker.heard({ ...message, params: { ...params, _meta: { ...meta, [SUBSCRIPTION]: found.id } } });
      return;
    }
    this.bystander.unasked(message);
  }

  private take(response: JsonObject): void {
    const found = this.pendingOf(response['id']);
    if (!found) return;
    this.pending.delete(Number(response['id']));
    found.asker.answered({ ...response, id: found.id });
  }

  /** Some servers give ids back as texts. */
  private pendingOf(id: unknown): Pending | undefined {
    return typeof id === 'number' || typeof id === 'string' ? this.pending.get(Number(id)) : undefined;
  }
}

function tokenIn({ params }: JsonObject): RequestId | null {
  const meta = isObject(params) ? params['_meta'] : undefined;
  return isObject(meta) ? requestIdIn(meta['progressToken']) : null;
}

function withToken(request: JsonObject, token: number): JsonObject {
  const params = request['params'] as JsonObject;
  return { ...request, params: { ...params, _meta: { ...(params['_meta'] as JsonObject), progressToken: token } } };
}
