import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type NotificationKind } from './notification-kinds.js';

/** What a person chose to be told of. */
@Entity('notification_choice')
export class NotificationChoice {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'person_id', type: 'text' })
  personId: string;

  @Column({ type: 'text', array: true })
  kinds: NotificationKind[];

  @Column({ name: 'changed_at', type: 'timestamptz' })
  changedAt: Date;
}
