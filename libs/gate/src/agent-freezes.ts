import { Injectable } from '@nestjs/common';
import { type Actor, Clock } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { type AgentFreeze, EVERY_AGENT } from './agent-freeze.entity.js';
import { AgentFreezeRepository } from './agent-freeze.repository.js';

/** Why an agent, or a whole tenant, is stopped. */
export type Freeze = Pick<AgentFreeze, 'reason' | 'by' | 'at'>;

/**
 * Stops agents until somebody lets them go on: their sessions are as good as dead from the next step on, on every process, and
 * none is opened. One call is one entry and one event.
 */
@Injectable()
export class AgentFreezes {
  constructor(
    private readonly frozen: AgentFreezeRepository,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Stops the agent, or all of the tenant.
   *
   * @param agentId null for every agent
   * @param facts what the entry says besides
   * @returns false, and nothing written, when it was stopped already
   */
  async freeze(
    tx: Tx,
    actor: Actor,
    agentId: string | null,
    reason: string,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { tenantId, id: by } = actor;
    const row = { tenantId, agentId: agentId ?? EVERY_AGENT, reason, by, at: this.clock.now() };
    if (!(await this.frozen.in(tx).put(row))) return false;
    this.tell(tx, actor, agentId, 'frozen', { reason, ...facts });
    return true;
  }

  /**
   * Lets the agent, or the tenant, go on: with the sessions that still live, or new ones.
   *
   * @param agentId null for what stopped every agent; each that was stopped by itself stays stopped
   * @returns false, and nothing written, when it was not stopped
   */
  async unfreeze(tx: Tx, actor: Actor, agentId: string | null): Promise<boolean> {
    if (!(await this.frozen.in(tx).remove(actor.tenantId, agentId ?? EVERY_AGENT))) return false;
    this.tell(tx, actor, agentId, 'unfrozen', {});
    return true;
  }

  /** Why each of the agents is stopped by itself, by agent; those that are not are left out. */
  async ofAgents(tenantId: string, agentIds: readonly string[]): Promise<Map<string, Freeze>> {
    const found = await this.frozen.find(tenantId, agentIds);
    return new Map(found.map(({ agentId, reason, by, at }) => [agentId, { reason, by, at }]));
  }

  /** Why every agent of the tenant is stopped; null while they are not. */
  async ofTenant(tenantId: string): Promise<Freeze | null> {
    return (await this.ofAgents(tenantId, [EVERY_AGENT])).get(EVERY_AGENT) ?? null;
  }

  private tell(
    tx: Tx,
    actor: Actor,
    agentId: string | null,
    what: 'frozen' | 'unfrozen',
    facts: Readonly<Record<string, unknown>>,
  ): void {
    const { tenantId, id: by } = actor;
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      ...(agentId === null ? {} : { agentId }),
      tool: 'haldir.gate',
      action: `${agentId === null ? 'tenant' : 'agent'}_${what}`,
      details: { ...facts, by },
    });
    this.outbox.publish(tx, tenantId, {
      type: `agent_${what}`,
      data: { agent_id: agentId, ...facts, by: actor.label },
    });
  }
}
