import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Egress, EgressRefused } from '@haldir/egress';
import { HaldirConfig } from '@haldir/runtime';
import { isConnectorUrl } from '../connectors/connector-url.js';
import { ConnectorTunnel } from '../connectors/connector-tunnel.js';
import { ListChanges } from './list-changes.js';
import { type Presented, UpstreamCredentials } from './upstream-credentials.js';
import { UpstreamMasks } from './upstream-masks.js';
import { UpstreamSessions } from './upstream-sessions.js';
import { type UpstreamAddress } from './upstream-address.js';
import { McpClient, type Presentation, UpstreamUnreachable } from '../mcp-client/index.js';

interface KeptConnection {
  client: McpClient;
  usedAt: number;
}

const MAX_CLIENTS = 512;
/** More than calls under way at once, of which `UpstreamPlaces` keeps count. */
const MAX_CONNECTIONS = 264;
const IDLE_MS = 10 * 60_000;
const SWEEP_MS = 60_000;

/**
 * The process's connections to upstreams: one client for each registration, kept while it is used, so that handshakes and
 * connections are shared; what goes on with one that is over closes nothing of the next. The least recently used ones go first
 * when there are too many, idle ones after ten minutes.
 */
@Injectable()
export class UpstreamConnections implements OnApplicationShutdown {
  private readonly clients = new Map<string, KeptConnection>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly egress: Egress,
    private readonly tunnel: ConnectorTunnel,
    private readonly credentials: UpstreamCredentials,
    private readonly masks: UpstreamMasks,
    private readonly changes: ListChanges,
    private readonly sessions: UpstreamSessions,
    private readonly config: HaldirConfig,
  ) {
    this.timer = setInterval(() => this.closeIdle(), SWEEP_MS);
    this.timer.unref();
  }

  /**
   * Does something with an upstream, under its headers as they are now. Refused as unauthorized, it is tried once more if a
   * secret in them has changed meanwhile, or with a new access token: an upstream that refuses so has done nothing.
   *
   * @throws UpstreamUnreachable also when the address is not allowed (any more), or a header cannot be made; whatever `work` throws
   */
  async use<T>(address: UpstreamAddress, work: (client: McpClient) => Promise<T>): Promise<T> {
    const before = await this.credentials.resolve(address);
    const presentation = await this.told(address, before);
    const client = this.for(address);
    try {
      client.present(presentation);
      return await work(client);
    } catch (error) {
      if (!(error instanceof UpstreamUnreachable) || error.reason !== 'unauthorized') throw error;
      const now = await this.credentials.resolve(address, before);
      if (isSame(now, before)) throw error;
      client.present(await this.told(address, now));
      return work(client);
    }
  }

  /** What is presented, once it is noted that the upstream is told so. */
  private async told(address: UpstreamAddress, { headers, told, order }: Presented): Promise<Presentation> {
    if (!(await this.masks.note(address, told))) throw new UpstreamUnreachable('told_too_much', { sent: false });
    return { headers, masker: await this.masks.maskFor(address), order };
  }

  private for(address: UpstreamAddress): McpClient {
    const key = keyOf(address);
    const client = this.clients.get(key)?.client ?? this.open(address, true);
    // Order of the map is order of use.
    this.clients.delete(key);
    this.clients.set(key, { client, usedAt: performance.now() });
    for (const [oldest, { client: unused }] of this.clients) {
      if (this.clients.size <= MAX_CLIENTS) break;
      this.clients.delete(oldest);
      unused.close();
    }
    return client;
  }

  /**
   * For a question to an upstream that may never be registered: a client that nobody else sees, closed afterwards.
   *
   * @throws UpstreamUnreachable when the address is not allowed; whatever `work` throws
   */
  async apart<T>(address: UpstreamAddress, work: (client: McpClient) => Promise<T>): Promise<T> {
    return this.once(address, await this.told(address, await this.credentials.resolve(address)), work);
  }

  /**
   * For last words to an upstream that is registered no longer, whose answer nobody reads: nothing is noted that it is told.
   *
   * @throws UpstreamUnreachable when the address is not allowed, or a header cannot be made; whatever `work` throws
   */
  async takingLeave<T>(address: UpstreamAddress, work: (client: McpClient) => Promise<T>): Promise<T> {
    const { headers, order } = await this.credentials.resolve(address);
    return this.once(address, { headers, masker: null, order }, work);
  }

  private async once<T>(
    address: UpstreamAddress,
    presentation: Presentation,
    work: (client: McpClient) => Promise<T>,
  ): Promise<T> {
    const client = this.open(address, false);
    try {
      client.present(presentation);
      return await work(client);
    } finally {
      client.close();
    }
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    for (const { client } of this.clients.values()) client.close();
    this.clients.clear();
  }

  /** @param isShared whether its sessions are kept for other processes */
  private open(address: UpstreamAddress, isShared: boolean): McpClient {
    const { tenantId, name, url } = address;
    try {
      return new McpClient({
        egress: isConnectorUrl(url) ? this.tunnel.to(tenantId, name) : this.egress,
        url,
        key: keyOf(address),
        deadlineMs: this.config.upstreams.timeoutMs,
        connections: MAX_CONNECTIONS,
        onListChange: () => this.changes.note(address),
        ...(isShared ? { sessions: this.sessions.placesOf(address) } : {}),
      });
    } catch (error) {
      throw error instanceof EgressRefused ? new UpstreamUnreachable('refused', { sent: false, cause: error }) : error;
    }
  }

  private closeIdle(): void {
    const oldest = performance.now() - IDLE_MS;
    for (const [key, { client, usedAt }] of this.clients) {
      if (usedAt > oldest) break;
      this.clients.delete(key);
      client.close();
    }
  }
}

function keyOf({ tenantId, name, revision }: UpstreamAddress): string {
  return `${tenantId}/${name}/${revision}`;
}

function isSame({ headers: one }: Presented, { headers: other }: Presented): boolean {
  return Object.entries(one).every(([name, value]) => other[name] === value);
}
