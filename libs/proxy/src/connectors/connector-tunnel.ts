import { Injectable } from '@nestjs/common';
import { type Egress, type EgressRequest, type EgressResponse, type EgressStream, EgressTarget } from '@haldir/egress';
import { ConnectorExchanges } from './connector-exchanges.js';
import { ConnectorNotices } from './connector-notices.js';
import { type TunnelPlace } from './under-way.js';

/** The ways that requests take to an upstream. */
type Way = Pick<Egress, 'open' | 'request' | 'target' | 'closePools'>;

/** The id of a session begins with the instance that has it. */
const INSTANCE = /^([A-Za-z0-9]{16,32})\./;

/** The way to upstreams that connectors stand for, in place of a connection: what is sent so is asked, answered and fails as over HTTP. */
@Injectable()
export class ConnectorTunnel {
  constructor(private readonly exchanges: ConnectorExchanges) {}

  to(tenantId: string, upstream: string): Way {
    const place = { tenantId, upstream, key: ConnectorNotices.keyOf(tenantId, upstream) };
    return {
      open: (request) => this.open(place, request),
      request: (request) => this.request(place, request),
      target: (url) => new EgressTarget(url, ''),
      // There are no connections of its own.
      closePools: () => undefined,
    };
  }

  private async open(place: TunnelPlace, request: EgressRequest): Promise<EgressStream> {
    const exchange = await this.exchanges.begin(place, instanceOf(request), request);
    return exchange.stream();
  }

  private async request(place: TunnelPlace, request: EgressRequest): Promise<EgressResponse> {
    const startedAt = performance.now();
    const exchange = await this.exchanges.begin(place, instanceOf(request), request);
    return { ...(await exchange.whole()), durationMs: performance.now() - startedAt };
  }
}

function instanceOf({ headers = {} }: EgressRequest): string | null {
  const [, session = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'mcp-session-id') ?? [];
  return INSTANCE.exec(session)?.[1] ?? null;
}
