import { LONGEST_CALL_MS } from '@haldir/kernel';
import { type JsonObject, METHOD_NOT_FOUND } from '@haldir/mcp';
import { Conversation } from './conversation.js';
import { type Exchange } from './exchange.js';
import { INTERNAL_ERROR, McpAnswer, McpStream, type Posted, refuseBusy } from './mcp-request.js';
import { type ServerCommand } from './server-process.js';

const NOBODY = { code: METHOD_NOT_FOUND, message: 'Nobody is there to answer' };
const OF_SEVERAL = {
  code: INTERNAL_ERROR,
  message: 'Other requests are under way, or were given up, so that nobody knows whose client to ask',
};

/** The server process of one session. All that its two ends say to each other goes through. */
export class SessionServer {
  readonly exited: Promise<string>;
  private readonly conversation: Conversation;
  private stream: McpStream | null = null;
  /** Answers to what is under way, the latest last. */
  private readonly answers = new Set<McpAnswer>();
  /** Requests that nobody waits for any more, which the server may still be at work on. */
  private givenUp = 0;
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
      this.givenUp++;
      // It may ask for as long as any call may take.
      setTimeout(() => this.givenUp--, LONGEST_CALL_MS).unref();
    });
  }

  /** What the server says of no request. */
  private pass(message: JsonObject): void {
    if ('id' in message) {
      this.passQuestion(message);
      return;
    }
    const method = String(message['method']);
    const to = this.stream ?? [...this.answers].at(-1);
    if (to) to.say(message);
    else if (method.endsWith('/list_changed')) this.unheard.set(method, message);
  }

  /** It does not say of which request it is: of the one under way, where there is no other. */
  private passQuestion(message: JsonObject): void {
    const [sole, ...others] = this.answers;
    const isKnown = others.length + this.givenUp === 0;
    if (sole && isKnown) sole.say(message);
    else {
      const isPing = message['method'] === 'ping';
      const outcome = isPing ? { result: {} } : { error: sole ? OF_SEVERAL : NOBODY };
      this.conversation.tell({ jsonrpc: '2.0', id: message['id'], ...outcome });
    }
  }
}
