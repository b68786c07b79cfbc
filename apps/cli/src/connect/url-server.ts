import { type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, errors, request } from 'undici';
import { type LocalServer } from './connector.js';
import { type Exchange } from './exchange.js';
import { refuseSession } from './mcp-request.js';

/** Of what Haldir sends, what is for the server; anything else is between Haldir and the connector. */
const SENT = /^(?:mcp-[a-z0-9-]+|accept|accept-encoding|content-type|last-event-id)$/;
const RETURNED = /^(?:mcp-[a-z0-9-]+|content-type|retry-after|www-authenticate|location|allow)$/;
const SESSION = 'mcp-session-id';
/** Longer ones are not carried, nor more of an answer, nor a status beyond. */
const MAX_HEADER_CHARS = 8_192;
const MAX_HEADER_NAME_CHARS = 128;
const MAX_HEADERS = 64;
const MAX_STATUS = 599;

/**
 * An MCP server that speaks HTTP at an address that this machine reaches. Its redirects are answers like any other, and its sessions
 * are those of this instance: their ids begin with its name.
 */
export class UrlServer implements LocalServer {
  /** Whether it begins sessions is its affair. */
  readonly perSession = true;
  // Haldir says how long something may take.
  private readonly agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: 256, pipelining: 1 });
  private readonly prefix: string;

  /** @param headers sent with every request */
  constructor(
    private readonly url: URL,
    private readonly headers: Readonly<Record<string, string>>,
    instance: string,
    private readonly said: (line: string) => void,
  ) {
    this.prefix = `${instance}.`;
  }

  async prepare(): Promise<void> {
    // It is there already, or will be.
  }

  take(exchange: Exchange): void {
    void this.forward(exchange).catch((error: unknown) => {
      if (exchange.signal.aborted) return;
      const isLate = error instanceof errors.ConnectTimeoutError;
      this.said(`${this.url.origin} gave no answer (${error instanceof Error ? codeOf(error) : String(error)})`);
      exchange.fail(isLate ? 'timeout' : 'reset');
    });
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  kill(): void {
    // Its connections end with this process.
  }

  private async forward(exchange: Exchange): Promise<void> {
    const session = exchange.headers[SESSION];
    if (session !== undefined && !session.startsWith(this.prefix)) {
      refuseSession(exchange);
      return;
    }
    const response = await request(this.url, {
      method: exchange.method as 'GET' | 'POST' | 'DELETE',
      headers: {
        ...chosen(exchange.headers, SENT),
        ...(session === undefined ? {} : { [SESSION]: session.slice(this.prefix.length) }),
        ...this.headers,
      },
      body: exchange.body,
      signal: exchange.signal,
      dispatcher: this.agent,
    });
    if (response.statusCode > MAX_STATUS) {
      response.body.on('error', () => undefined).destroy();
      throw new Error(`HTTP status ${response.statusCode}`);
    }
    exchange.begin(response.statusCode, this.returned(response.headers));
    const decoder = new TextDecoder();
    for await (const chunk of decoded(response.body, response.headers['content-encoding'])) {
      const text = carriable(decoder.decode(chunk, { stream: true }));
      if (text !== '') exchange.write(text);
      const room = exchange.room();
      if (room) await room;
    }
    const rest = carriable(decoder.decode());
    if (rest !== '') exchange.write(rest);
    exchange.end();
  }

  private returned(headers: Headers): Record<string, string> {
    const given = headers[SESSION];
    const named = typeof given === 'string' ? { ...headers, [SESSION]: this.prefix + given } : headers;
    const all = Object.entries(chosen(named, RETURNED));
    // What the protocol has comes before what a server adds.
    const isAdded = (name: string): boolean => name.startsWith('mcp-') && name !== SESSION;
    all.sort(([a], [b]) => Number(isAdded(a)) - Number(isAdded(b)));
    return Object.fromEntries(all.slice(0, MAX_HEADERS));
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function chosen(headers: Headers, pattern: RegExp): Record<string, string> {
  const all = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(
    all.flatMap(([name, value]) =>
      typeof value === 'string' &&
      value.length <= MAX_HEADER_CHARS &&
      name.length <= MAX_HEADER_NAME_CHARS &&
      pattern.test(name)
        ? [[name, value]]
        : [],
    ),
  );
}

/** Haldir takes no NUL in a text, and JSON has none. */
const carriable = (text: string): string => text.replaceAll('\0', '\ufffd');

/** The body as text is in it: some servers encode theirs unasked. */
function decoded(body: Readable, encoding: string | string[] | undefined): AsyncIterable<Uint8Array> {
  const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };
  const name = String(encoding ?? '').toLowerCase();
  if (!Object.hasOwn(decoders, name)) return body;
  const decoder = decoders[name as keyof typeof decoders]();
  body.once('error', (error) => decoder.destroy(error));
  return body.pipe(decoder);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
