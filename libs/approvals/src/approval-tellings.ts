import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Channels, type EventKey, eventIdOf, type PublishedEvent, type Tally } from '@haldir/events';
import { HaldirConfig, Log, Metrics } from '@haldir/runtime';
import { type ApprovalRequest } from './approval-request.entity.js';

type RequestKey = Pick<ApprovalRequest, 'tenantId' | 'id'>;

/**
 * Whether a webhook or a person has been told of a request: `pending` while it is not known, or on its way to somebody; `nobody` when
 * there was none, or none of them could be told.
 */
export const NOTIFIED = ['pending', 'somebody', 'nobody'] as const;
export type Notified = (typeof NOTIFIED)[number];

/** What is said of a request that is asked for by itself. */
export interface Telling {
  /** How many webhooks and people have taken it so far. */
  told: number;
  /** Null where it is not known any more. */
  notified: Notified | null;
}

/** Who was told of requests for approval. */
@Injectable()
export class ApprovalTellings {
  constructor(
    private readonly channels: Channels,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async of(request: RequestKey & Pick<ApprovalRequest, 'createdAt'>): Promise<Telling> {
    const tally = await this.transactions.run(request.tenantId, (tx) => this.tallyOf(tx, request));
    const isForgotten = this.clock.now().getTime() - request.createdAt.getTime() >= this.config.webhooks.retentionMs;
    return { told: tally.told, notified: isForgotten && tally.wanted === 0 ? null : notifiedBy(tally) };
  }

  /** Of one that is pending, or was just now. */
  async notified(tx: Tx, request: RequestKey): Promise<Notified> {
    return notifiedBy(await this.tallyOf(tx, request));
  }

  /** The same in a transaction of its own. */
  notifiedNow(request: RequestKey): Promise<Notified> {
    return this.transactions.run(request.tenantId, (tx) => this.notified(tx, request));
  }

  /** How many endpoints and people have taken each request so far, in their order. */
  async tallied<Request extends RequestKey>(
    tx: Tx,
    requests: readonly Request[],
  ): Promise<{ request: Request; told: number }[]> {
    const tallies = await this.channels.tally(tx, requests.map(eventKeyOf));
    return requests.map((request, i) => ({ request, told: tallies[i]?.told ?? 0 }));
  }

  /** Notes the requests among the events that nobody is going to be told of. Their deliveries were made in `tx`. */
  async noteUntold(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    const requested = events.filter(({ type }) => type === 'approval_requested');
    if (requested.length === 0) return;
    const tallies = await this.channels.tally(tx, requested);
    const untold = requested.filter((_, i) => tallies[i]?.wanted === 0);
    for (const { tenantId, data } of untold) {
      const { request_id, agent_id, tool, action } = data;
      this.auditLog.record(tx, haldirActor(tenantId), {
        source: 'haldir',
        ...(typeof agent_id === 'string' ? { agentId: agent_id } : {}),
        tool: 'haldir.approvals',
        action: 'approval_told_nobody',
        details: { request_id, tool, action },
      });
    }
    tx.onCommit(() => {
      for (const { tenantId, data } of untold) {
        this.metrics.countUntold();
        this.log.warn({ event: 'approvals.told_nobody', tenant: tenantId, request: String(data['request_id']) });
      }
    });
  }

  private async tallyOf(tx: Tx, request: RequestKey): Promise<Tally> {
    const [tally] = await this.channels.tally(tx, [eventKeyOf(request)]);
    return tally ?? { wanted: 0, told: 0, waiting: 0 };
  }
}

/** The event of a request goes by its id. */
function eventKeyOf({ tenantId, id }: RequestKey): EventKey {
  return { tenantId, eventId: eventIdOf(id) };
}

function notifiedBy({ told, waiting }: Tally): Notified {
  if (told > 0) return 'somebody';
  return waiting > 0 ? 'pending' : 'nobody';
}
