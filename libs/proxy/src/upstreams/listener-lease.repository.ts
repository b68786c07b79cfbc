import { Injectable } from '@nestjs/common';
import { columnsOf, EVERY_TENANT, Transactions } from '@haldir/database';
import { ADDRESS, type UpstreamAddress } from './upstream-address.js';
import { Upstream } from './upstream.entity.js';

const addressed = columnsOf(Upstream).only(...ADDRESS);
const kept = columnsOf(Upstream).only('tenantId', 'name', 'revision');

/** A lease: whoever dies with it leaves the upstream to the next. */
const claim = `
  UPDATE proxy_upstream SET listener = $1, listen_at = $3
   WHERE (tenant_id, name) IN (SELECT tenant_id, name FROM proxy_upstream WHERE listen_at <= $2 AND healthy
                                ORDER BY listen_at LIMIT $4 FOR UPDATE SKIP LOCKED)
   RETURNING ${addressed.list}`;

/** Which worker listens to which upstream: one to each. */
@Injectable()
export class ListenerLeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Takes up to `limit` healthy upstreams that nobody listens to. */
  async claim(listener: string, now: Date, leaseUntil: Date, limit: number): Promise<UpstreamAddress[]> {
    const rows = await this.transactions.queryAll(claim, [listener, now, leaseUntil, limit]);
    return rows.map((row) => addressed.toEntity(row));
  }

  /** Keeps all that `listener` has, and answers them; a registration that is over is not among them. */
  async renew(listener: string, leaseUntil: Date): Promise<Pick<UpstreamAddress, 'tenantId' | 'name' | 'revision'>[]> {
    const { raw } = (await this.transactions.run(EVERY_TENANT, (tx) =>
      tx.manager
        .createQueryBuilder()
        .update(Upstream)
        .set({ listenAt: leaseUntil })
        .where({ listener })
        .returning(kept.list)
        .execute(),
    )) as { raw: object[] };
    return raw.map((row) => kept.toEntity(row));
  }

  /** Nobody has to listen to the upstream before `until`. */
  async leave({ tenantId, name, revision }: UpstreamAddress, listener: string, until: Date): Promise<void> {
    await this.transactions.run(tenantId, (tx) =>
      tx.manager.update(Upstream, { tenantId, name, revision, listener }, { listener: null, listenAt: until }),
    );
  }

  /** Others may take over at once. */
  async leaveAll(listener: string, now: Date): Promise<void> {
    await this.transactions.run(EVERY_TENANT, (tx) =>
      tx.manager.update(Upstream, { listener }, { listener: null, listenAt: now }),
    );
  }
}
