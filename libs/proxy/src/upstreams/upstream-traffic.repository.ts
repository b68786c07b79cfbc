import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { type UpstreamTraffic } from './upstream-traffic.entity.js';

/** Upstreams removed meanwhile are left out; the order keeps processes from locking each other out. */
const add = `
  WITH known AS MATERIALIZED (
    SELECT w.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[])
      AS w(tenant_id, upstream, calls, errors, tool_errors, latency_ms)
      JOIN proxy_upstream u ON u.tenant_id = w.tenant_id AND u.name = w.upstream
     ORDER BY 1, 2 FOR KEY SHARE OF u)
  INSERT INTO proxy_traffic (tenant_id, upstream, calls, errors, tool_errors, latency_ms) SELECT * FROM known
  ON CONFLICT (tenant_id, upstream) DO UPDATE
    SET calls = proxy_traffic.calls + excluded.calls, errors = proxy_traffic.errors + excluded.errors,
        tool_errors = proxy_traffic.tool_errors + excluded.tool_errors,
        latency_ms = proxy_traffic.latency_ms + excluded.latency_ms`;

@Injectable()
export class UpstreamTrafficRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Adds to what is there, of each upstream that there still is. */
  async add(sums: readonly UpstreamTraffic[]): Promise<void> {
    await this.transactions.query(add, [
      sums.map(({ tenantId }) => tenantId),
      sums.map(({ upstream }) => upstream),
      sums.map(({ calls }) => calls),
      sums.map(({ errors }) => errors),
      sums.map(({ toolErrors }) => toolErrors),
      sums.map(({ latencyMs }) => latencyMs),
    ]);
  }
}
