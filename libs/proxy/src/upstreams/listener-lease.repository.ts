import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { type UpstreamAddress } from './upstream-address.js';

/** A lease: whoever dies with it leaves the upstream to the next. */
const claim = {
  name: 'proxy_listening.claim.v1',
  text: `UPDATE proxy_upstream SET listener = $1, listen_at = $3
          WHERE (tenant_id, name) IN (SELECT tenant_id, name FROM proxy_upstream WHERE listen_at <= $2 AND healthy
                                       ORDER BY listen_at LIMIT $4 FOR UPDATE SKIP LOCKED)
          RETURNING tenant_id, name, url, revision, headers`,
};
const renew = {
  name: 'proxy_listening.renew.v1',
  text: `UPDATE proxy_upstream SET listen_at = $2 WHERE listener = $1 RETURNING tenant_id, name, revision`,
};
const leave = {
  name: 'proxy_listening.leave.v1',
  text: `UPDATE proxy_upstream SET listener = NULL, listen_at = $5
          WHERE tenant_id = $1 AND name = $2 AND revision = $3 AND listener = $4`,
};
const leaveAll = {
  name: 'proxy_listening.leave_all.v1',
  text: `UPDATE proxy_upstream SET listener = NULL, listen_at = $2 WHERE listener = $1`,
};

interface Row {
  tenant_id: string;
  name: string;
  url: string;
  revision: string;
  headers: Buffer | null;
}

/** Which worker listens to which upstream: one to each. */
@Injectable()
export class ListenerLeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Takes up to `limit` healthy upstreams that nobody listens to. */
  async claim(listener: string, now: Date, leaseUntil: Date, limit: number): Promise<UpstreamAddress[]> {
    const rows = await this.transactions.queryAll<Row>(claim, [listener, now, leaseUntil, limit]);
    return rows.map(({ tenant_id: tenantId, ...row }) => ({ tenantId, ...row }));
  }

  /** Keeps all that `listener` has, and answers them; a registration that is over is not among them. */
  async renew(listener: string, leaseUntil: Date): Promise<Pick<UpstreamAddress, 'tenantId' | 'name' | 'revision'>[]> {
    const rows = await this.transactions.queryAll<Omit<Row, 'url' | 'headers'>>(renew, [listener, leaseUntil]);
    return rows.map(({ tenant_id: tenantId, ...row }) => ({ tenantId, ...row }));
  }

  /** Nobody has to listen to the upstream before `until`. */
  async leave({ tenantId, name, revision }: UpstreamAddress, listener: string, until: Date): Promise<void> {
    await this.transactions.query(leave, [tenantId, name, revision, listener, until]);
  }

  /** Others may take over at once. */
  async leaveAll(listener: string, now: Date): Promise<void> {
    await this.transactions.queryAll(leaveAll, [listener, now]);
  }
}
