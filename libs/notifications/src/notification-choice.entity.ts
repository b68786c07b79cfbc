import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type NotificationKind } from './notification-kinds.js';

/** What a person chose to be told of. */
@Entity('notification_choice')
export class NotificationChoice {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'person_id', type: 'text' })
  personId: string;

  /** By e-mail; null: what those of the role are told of. */
  @Column({ type: 'text', array: true, nullable: true })
  kinds: NotificationKind[] | null;

  /** The same in their browsers. */
  @Column({ name: 'push_kinds', type: 'text', array: true, nullable: true })
  pushKinds: NotificationKind[] | null;

  @Column({ name: 'changed_at', type: 'timestamptz' })
  changedAt: Date;
}
