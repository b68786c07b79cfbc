import { type JsonObject, METHOD_NOT_FOUND } from '@haldir/mcp';
import { Conversation } from './conversation.js';
import { type Exchange } from './exchange.js';
import { McpAnswer, McpStream, type Posted, refuseBusy } from './mcp-request.js';
import { type ServerCommand } from './server-process.js';

/** The server process of one session. All that its two ends say to each other goes through. */
export class SessionServer {
  readonly exited: Promise<string>;
  private readonly conversation: Conversation;
  private stream: McpStream | null = null;
  /** Answers to what is under way, the latest last. */
  private readonly answers = new Set<McpAnswer>();
  /** What was said while there was no stream, one of each kind. */
  private readonly unheard = new Map<string, JsonObject>();
  private usedAt = performance.now();

  constructor(command: ServerCommand, said: (line: string) => void, room: () => Promise<void> | null) {
    this.conversation = new Conversation(command, { unasked: (message) => this.pass(message), said, room });
    this.exited = this.conversation.exited.then((how) => {
      this.stream?.end();
      return how;
    });
  }

  /** How long it has had nothing to do. */
  idleMs(): number {
    return this.conversation.isBusy ? 0 : performance.now() - this.usedAt;
  }

  /** Initializes it, as the client asks. */
  greet(request: JsonObject, answered: (response: JsonObject) => void, lost: () => void): void {
    this.conversation.ask(request, { heard: () => undefined, answered, lost });
  }

  take(exchange: Exchange, asked: Exclude<Posted, { kind: 'invalid' }>): void {
    this.usedAt = performance.now();
    if (asked.kind === 'request') {
      this.ask(exchange, asked.message);
      return;
    }
    // A request waits until the server reads; what wants no answer is refused.
    if (this.conversation.isFull) {
      refuseBusy(exchange);
      return;
    }
    // Its ids are not those of the server; who cancels leaves, and that is told.
    const isCancellation = asked.kind === 'notification' && asked.method === 'notifications/cancelled';
    if (!isCancellation) this.conversation.tell(asked.message);
    exchange.answer(202);
  }

  /** The standing stream; a new one takes the place of that before. */
  listen(exchange: Exchange): void {
    this.stream?.end();
    const stream = new McpStream(exchange);
    this.stream = stream;
    exchange.signal.addEventListener('abort', () => {
      if (this.stream === stream) this.stream = null;
    });
    for (const message of this.unheard.values()) stream.say(message);
    this.unheard.clear();
  }

  end(): Promise<void> {
    return this.conversation.end();
  }

  kill(): void {
    this.conversation.kill();
  }

  private ask(exchange: Exchange, message: JsonObject): void {
    const answer = new McpAnswer(exchange);
    this.answers.add(answer);
    const over = (): void => {
      this.answers.delete(answer);
      this.usedAt = performance.now();
    };
    const takeBack = this.conversation.ask(message, {
      heard: (notification) => answer.say(notification),
      answered: (response) => {
        over();
        answer.end(response);
      },
      lost: () => {
        over();
        exchange.fail('reset');
      },
    });
    exchange.signal.addEventListener('abort', () => {
      over();
      takeBack();
    });
  }

  /** What the server says of no request: a question to whoever has asked last, anything else to who listens. */
  private pass(message: JsonObject): void {
    const latest = [...this.answers].at(-1) ?? null;
    const method = String(message['method']);
    const listeners = 'id' in message ? [latest, this.stream] : [this.stream, latest];
    const to = listeners.find((each) => each !== null);
    if (to) to.say(message);
    else if ('id' in message)
      this.conversation.tell({
        ...{ jsonrpc: '2.0', id: message['id'] },
        error: { code: METHOD_NOT_FOUND, message: 'Nobody is there to answer' },
      });
    else if (method.endsWith('/list_changed')) this.unheard.set(method, message);
  }
}
