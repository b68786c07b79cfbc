import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A rotation of tenant keys. */
@Entity('key_rotation')
export class KeyRotation {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;

  /** A tenant, or `*` for all of them. */
  @Column({ type: 'text' })
  scope: string;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
