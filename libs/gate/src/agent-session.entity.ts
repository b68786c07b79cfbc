import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The session that an agent key goes on with. */
@Entity('agent_session')
export class AgentSession {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** As `Session.openedKey` has it. */
  @PrimaryColumn({ name: 'key_id', type: 'text' })
  keyId: string;

  /** Null until the first one is opened. */
  @Column({ name: 'session_id', type: 'text', nullable: true })
  sessionId: string | null;
}
