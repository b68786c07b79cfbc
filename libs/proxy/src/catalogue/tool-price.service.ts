import { Injectable } from '@nestjs/common';
import { type Actor, type MicroUsd, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { PriceNotFound } from './tool.errors.js';
import { ToolPriceRepository } from './tool-price.repository.js';
import { UpstreamNotFound } from '../upstreams/upstream.errors.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';

/** What calls of tools cost. A price belongs to upstream and name, whatever the upstream says of the tool, and goes with the upstream. */
@Injectable()
export class ToolPriceService {
  constructor(
    private readonly prices: ToolPriceRepository,
    private readonly upstreams: UpstreamRepository,
    private readonly auditLog: AuditLog,
  ) {}

  /** Counts for calls that begin after the commit. @throws UpstreamNotFound when the tenant has no such upstream */
  async put(tx: Tx, actor: Actor, upstream: string, tool: string, price: MicroUsd): Promise<void> {
    const { tenantId } = actor;
    if (!(await this.upstreams.in(tx).hold(tenantId, upstream))) throw new UpstreamNotFound();
    await this.prices.in(tx).put({ tenantId, upstream, tool, price });
    this.record(tx, actor, 'tool_priced', { upstream, tool, price_usd: toDollars(price), by: actor.id });
  }

  /** @throws PriceNotFound when the tool has none */
  async remove(tx: Tx, actor: Actor, upstream: string, tool: string): Promise<void> {
    if (!(await this.prices.in(tx).remove(actor.tenantId, upstream, tool))) throw new PriceNotFound();
    this.record(tx, actor, 'tool_price_removed', { upstream, tool, by: actor.id });
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.proxy', action, details });
  }
}
