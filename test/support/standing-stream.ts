import { BareMcp, type McpParty, type RpcMessage } from './mcp.js';

/** A stream that stays open, on which a client of `/mcp` is told of changes. */
export class StandingStream {
  readonly messages: RpcMessage[] = [];
  /** Of the last event that had one. */
  id: string | null = null;
  /** Whether the server has ended it. */
  isOver = false;

  private constructor(
    readonly status: number,
    private readonly stop: AbortController,
  ) {}

  /** That of a client after a handshake. */
  static get({ url, key, session }: McpParty, headers: Record<string, string> = {}): Promise<StandingStream> {
    return StandingStream.open(url, {
      headers: {
        authorization: `Bearer ${key}`,
        ...(session === undefined ? {} : { 'x-session-id': session }),
        ...{ accept: 'text/event-stream', 'mcp-protocol-version': '2025-11-25', ...headers },
      },
    });
  }

  /** The answer to `subscriptions/listen`. */
  static listen(party: McpParty, params: Record<string, unknown>): Promise<StandingStream> {
    const bare = new BareMcp(party);
    return StandingStream.open(party.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${party.key}`,
        ...(party.session === undefined ? {} : { 'x-session-id': party.session }),
        ...{ accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
        ...bare.headersFor('subscriptions/listen'),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'l1', method: 'subscriptions/listen', params: bare.paramsOf(params) }),
    });
  }

  private static async open(url: string, init: RequestInit): Promise<StandingStream> {
    const stop = new AbortController();
    const response = await fetch(new URL('/mcp', url), { ...init, signal: stop.signal });
    const stream = new StandingStream(response.status, stop);
    void stream.read(response).catch(() => undefined);
    return stream;
  }

  /** Methods of what was said, `result` and `error` for answers. */
  get said(): string[] {
    return this.messages.map(({ method, error }) => method ?? (error ? 'error' : 'result'));
  }

  /** The client hangs up. */
  close(): void {
    this.stop.abort();
  }

  private async read(response: Response): Promise<void> {
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += Buffer.from(chunk).toString();
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.take(block.split('\n'));
    }
    if (rest.startsWith('{')) this.messages.push(JSON.parse(rest) as RpcMessage);
    this.isOver = true;
  }

  private take(lines: string[]): void {
    for (const line of lines) {
      if (line.startsWith('id: ')) this.id = line.slice('id: '.length);
      if (line.startsWith('data: {')) this.messages.push(JSON.parse(line.slice('data: '.length)) as RpcMessage);
    }
  }
}
