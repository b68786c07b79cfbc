import { EgressAgent } from './egress-agent.js';
import {
  type Connector,
  guardedConnector,
  resolveChecked,
  type Resolver,
  systemResolver,
  tcpConnector,
} from './egress-connector.js';
import { EgressFailed } from './egress.errors.js';
import { type EgressStream, Exchange, type ResponseHeaders, streamOf } from './egress-exchange.js';
import { type EgressPolicy, hostLiteral } from './egress-policy.js';

export interface EgressOptions {
  readonly resolver: Resolver;
  readonly connector: Connector;
  readonly dnsTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxPools: number;
  readonly poolIdleMs: number;
  readonly keepAliveMs: number;
  /** Connections per pool, unless a request asks for another number. */
  readonly connections: number;
}

const DEFAULTS = {
  dnsTimeoutMs: 2_000,
  connectTimeoutMs: 5_000,
  maxPools: 1_024,
  poolIdleMs: 60_000,
  // Below the 5 s after which Node servers hang up on an idle connection: a reset in that race cannot be repeated safely.
  keepAliveMs: 4_000,
  connections: 16,
} as const;

/** A destination that passed the policy; made by `Egress.target()` only, and good for as long as the process lives. */
export class EgressTarget {
  /** @internal */
  constructor(
    readonly origin: string,
    readonly path: string,
  ) {}
}

export interface EgressRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly url: string | EgressTarget;
  /** Any but `Host`, which is the URL's. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange: waiting for a connection, resolving, sending, and the last byte of the answer. */
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  /** A larger answer fails (`too_large`, the default) or is cut there and marked. */
  readonly onOverflow?: 'fail' | 'truncate';
  /**
   * Reads an answer in gzip, deflate or br; it is too large when it is so before or after. One in another encoding fails
   * (`encoding`). Default: bodies are as they came.
   */
  readonly decode?: boolean;
  /** For an answer without an end: `maxResponseBytes` is then what may wait unread, however much comes altogether. */
  readonly endless?: boolean;
  readonly signal?: AbortSignal;
  /**
   * A pool of one's own: requests under different keys never wait for each other's connections, even to one origin.
   * `connections` counts when the pool is made.
   */
  readonly pool?: { readonly key: string; readonly connections?: number };
}

export interface EgressResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
  /** The body was cut at `maxResponseBytes`. */
  readonly truncated: boolean;
  readonly durationMs: number;
}

/**
 * The one way out of Haldir for every webhook and upstream: destinations are checked against the policy before and after
 * resolving, redirects are answers like any other and never followed, time and bytes are bounded, no proxy is taken from
 * the environment, and connections are kept and shared.
 */
export class Egress {
  private readonly options: EgressOptions;
  private readonly agent: EgressAgent;

  constructor(
    readonly policy: EgressPolicy,
    options: Partial<EgressOptions> = {},
  ) {
    const limits = { ...DEFAULTS, ...options };
    this.options = {
      ...limits,
      resolver: options.resolver ?? systemResolver,
      connector: options.connector ?? tcpConnector(limits.connectTimeoutMs),
    };
    this.agent = new EgressAgent(
      guardedConnector(policy, this.options.resolver, this.options.connector, limits),
      limits,
    );
  }

  /** Pools of connections open right now. */
  get poolCount(): number {
    return this.agent.poolCount;
  }

  /** @throws EgressRefused when the URL breaks the policy as far as can be told without DNS */
  checkUrl(text: string): URL {
    return this.policy.checkUrl(text);
  }

  /**
   * Checks a URL before it is stored: its form, and the addresses its host has now. A name that does not resolve passes,
   * since it is resolved and checked again for every connection.
   *
   * @throws EgressRefused when the URL or one of its addresses breaks the policy
   */
  async vet(text: string): Promise<URL> {
    const url = this.checkUrl(text);
    if (hostLiteral(url.hostname) === null) {
      try {
        await resolveChecked(this.policy, this.options.resolver, url.hostname, this.options.dnsTimeoutMs);
      } catch (error) {
        if (!(error instanceof EgressFailed)) throw error;
      }
    }
    return url;
  }

  /** Checks a URL once for many requests. @throws EgressRefused when it breaks the policy */
  target(text: string): EgressTarget {
    const url = this.checkUrl(text);
    return new EgressTarget(url.origin, url.pathname + url.search);
  }

  /**
   * Sends a request and waits for the whole answer, whatever its status.
   *
   * @throws EgressRefused when the destination is not allowed; nothing was sent
   * @throws EgressFailed when no complete answer came
   */
  async request(request: EgressRequest): Promise<EgressResponse> {
    const startedAt = performance.now();
    const { exchange } = this.begin(request);
    const body = await exchange.rest();
    return {
      status: exchange.status,
      headers: exchange.headers,
      body,
      truncated: exchange.truncated,
      durationMs: performance.now() - startedAt,
    };
  }

  /**
   * Sends a request and answers as soon as status and headers are there; deadline and byte limit go on counting for the body.
   *
   * @throws EgressRefused when the destination is not allowed; nothing was sent
   * @throws EgressFailed when no answer began
   */
  async open(request: EgressRequest): Promise<EgressStream> {
    const { exchange, extend } = this.begin(request);
    await exchange.head();
    return streamOf(exchange, extend);
  }

  /** Closes the pools made under `key`, after the requests they carry. */
  closePools(key: string): void {
    this.agent.closePools(key);
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.agent.close();
  }

  private begin(request: EgressRequest): { exchange: Exchange; extend: (deadlineMs: number) => void } {
    const { signal, headers, pool } = request;
    if (signal?.aborted) throw new EgressFailed('aborted');
    for (const name in headers) {
      if (name.length === 4 && name.toLowerCase() === 'host') throw new Error('Host is set from the URL');
    }
    const target = typeof request.url === 'string' ? this.target(request.url) : request.url;
    const started: { exchange?: Exchange } = {};
    const onAbort = (): void => started.exchange?.stop('aborted');
    const endAfter = (ms: number): NodeJS.Timeout => setTimeout(() => started.exchange?.stop('timeout'), ms);
    let timer = endAfter(request.deadlineMs);
    let isSettled = false;
    signal?.addEventListener('abort', onAbort, { once: true });
    const settled = (): void => {
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const { maxResponseBytes, onOverflow = 'fail', decode = false, endless = false } = request;
    const limits = { maxResponseBytes, onOverflow, decode, endless };
    const handlerFor = (release: () => void): Exchange => (started.exchange = new Exchange(limits, settled, release));
    try {
      this.agent.dispatch(
        target.origin,
        pool?.key ?? '',
        pool?.connections ?? this.options.connections,
        {
          path: target.path,
          method: request.method,
          headers: headers ?? {},
          body: request.body ?? null,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handlerFor,
      );
    } catch (error) {
      settled();
      throw error;
    }
    if (!started.exchange) throw new Error('The agent did not take the request');
    const extend = (ms: number): void => {
      if (isSettled) return;
      clearTimeout(timer);
      timer = endAfter(ms);
    };
    return { exchange: started.exchange, extend };
  }
}
