import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Something unusual that an agent did in an hour, and was told of. */
@Entity('audit_finding')
export class AuditFinding {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'agent_id', type: 'text' })
  agentId: string;

  @PrimaryColumn({ type: 'text' })
  kind: string;

  /** `YYYY-MM-DDTHH`, UTC. */
  @PrimaryColumn({ type: 'text' })
  hour: string;

  /** The entry that tells of it; empty until that is written, in the same transaction. */
  @Column({ name: 'entry_id', type: 'text' })
  entryId: string;
}
