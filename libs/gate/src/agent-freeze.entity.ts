import { Column, Entity, PrimaryColumn } from 'typeorm';

/** In place of an agent: all of the tenant's. No agent has an empty name. */
export const EVERY_AGENT = '';

/** Why an agent, or a whole tenant, is stopped. */
@Entity('agent_freeze')
export class AgentFreeze {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'agent_id', type: 'text' })
  agentId: string;

  @Column({ type: 'text' })
  reason: string;

  /** The id of the principal that did it. */
  @Column({ type: 'text' })
  by: string;

  @Column({ type: 'timestamptz' })
  at: Date;
}
