import { Injectable } from '@nestjs/common';
import { type Actor, type MicroUsd, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { PriceNotFound } from './tool.errors.js';
import { UpstreamNotFound } from '../upstreams/upstream.errors.js';

/** What calls of tools cost. A price belongs to upstream and name, whatever the upstream says of the tool, and goes with the upstream. */
@Injectable()
export class ToolPriceService {
  constructor(private readonly auditLog: AuditLog) {}

  /** Counts for calls that begin after the commit. @throws UpstreamNotFound when the tenant has no such upstream */
  async put(tx: Tx, actor: Actor, upstream: string, tool: string, price: MicroUsd): Promise<void> {
    const rows = await tx.query(
      `INSERT INTO proxy_tool_price (tenant_id, upstream, tool, price_micros)
         SELECT tenant_id, name, $3, $4 FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 FOR KEY SHARE
       ON CONFLICT (tenant_id, upstream, tool) DO UPDATE SET price_micros = excluded.price_micros
       RETURNING tool`,
      [actor.tenantId, upstream, tool, price.toString()],
    );
    if (rows.length === 0) throw new UpstreamNotFound();
    this.record(tx, actor, 'tool_priced', { upstream, tool, price_usd: toDollars(price), by: actor.id });
  }

  /** @throws PriceNotFound when the tool has none */
  async remove(tx: Tx, actor: Actor, upstream: string, tool: string): Promise<void> {
    const rows = await tx.query(
      'DELETE FROM proxy_tool_price WHERE tenant_id = $1 AND upstream = $2 AND tool = $3 RETURNING tool',
      [actor.tenantId, upstream, tool],
    );
    if (rows.length === 0) throw new PriceNotFound();
    this.record(tx, actor, 'tool_price_removed', { upstream, tool, by: actor.id });
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.proxy', action, details });
  }
}
