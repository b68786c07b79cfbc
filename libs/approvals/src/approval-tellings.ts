import { Injectable } from '@nestjs/common';
import { haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Channels, eventIdOf, type PublishedEvent } from '@haldir/events';
import { Log, Metrics } from '@haldir/runtime';
import { type ApprovalRequest } from './approval-request.entity.js';

type RequestKey = Pick<ApprovalRequest, 'tenantId' | 'id'>;

/** Who was told of requests for approval. */
@Injectable()
export class ApprovalTellings {
  constructor(
    private readonly channels: Channels,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** How many endpoints and people have taken the request so far. */
  async told(request: RequestKey): Promise<number> {
    const [tally] = await this.transactions.run(request.tenantId, (tx) => this.tallied(tx, [request]));
    return tally?.told ?? 0;
  }

  /** The same of each of several, in their order. */
  async tallied<Request extends RequestKey>(
    tx: Tx,
    requests: readonly Request[],
  ): Promise<{ request: Request; told: number }[]> {
    const keys = requests.map(({ tenantId, id }) => ({ tenantId, eventId: eventIdOf(id) }));
    const tallies = await this.channels.tally(tx, keys);
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
        ...{ tool: 'haldir.approvals', action: 'approval_told_nobody', details: { request_id, tool, action } },
      });
    }
    tx.onCommit(() => {
      for (const { tenantId, data } of untold) {
        this.metrics.countUntold();
        this.log.warn({ event: 'approvals.told_nobody', tenant: tenantId, request: String(data['request_id']) });
      }
    });
  }
}
