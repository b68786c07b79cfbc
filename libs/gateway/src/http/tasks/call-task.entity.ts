import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `called` from when the call was let go on, whatever came of it. */
export type CallTaskState = 'open' | 'called' | 'cancelled';

/** A call that waits for approval, and whose result is asked for by an id (MCP's Tasks). */
@Entity('mcp_task')
export class CallTask {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** As the client knows it. With it and as its holder one gets the result. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** SHA-256 of whose call it is: an agent key's, in whatever session, and else a session's. */
  @Column({ name: 'holder_hash', type: 'bytea' })
  holderHash: Buffer;

  /** The approval that it was made for; the same call, made again while it waits, is this task. Its own id where it is like no other. */
  @Column({ name: 'made_for', type: 'text' })
  madeFor: string;

  /** Of the approval that it waits for. */
  @Column({ name: 'request_id', type: 'text' })
  requestId: string;

  /** The call, as JSON. */
  @Column({ type: 'bytea' })
  sealed: Buffer;

  @Column({ type: 'text' })
  state: CallTaskState;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;

  /** Nobody hears of it later. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
