import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MirroredArgument } from '@haldir/mcp';
import { type UpstreamTool } from '../mcp-client/index.js';

/** A tool of an upstream: what was accepted of it, and what is held back. */
@Entity('proxy_tool')
export class Tool {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  @Column({ type: 'boolean' })
  destructive: boolean;

  /** As it was accepted, with its numbers as they came. */
  @Column({ type: 'json' })
  definition: UpstreamTool;

  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  /** Not offered at present; kept, so that it comes back as it was or not at all. */
  @Column({ type: 'boolean' })
  gone: boolean;

  /** What the upstream says instead, for which the tool is held back; null while it keeps to what was accepted. */
  @Column({ type: 'json', nullable: true })
  pending: UpstreamTool | null;

  @Column({ name: 'pending_fingerprint', type: 'bytea', nullable: true })
  pendingFingerprint: Buffer | null;

  /** When that was seen first. */
  @Column({ name: 'drifted_at', type: 'timestamptz', nullable: true })
  driftedAt: Date | null;

  /** Arguments that requests repeat as headers. */
  @Column({ type: 'json' })
  mirrored: readonly MirroredArgument[];

  /** Whether making a call twice does no more than making it once. */
  @Column({ type: 'boolean' })
  repeatable: boolean;

  /** `upstream__tool` in characters that the APIs of models take; too long for them perhaps, and not its alone. */
  @Column({ name: 'model_name', type: 'text', insert: false, update: false })
  modelName: string;

  /** The same, cut to what they take, with eight hex digits of the full name's SHA-256. */
  @Column({ name: 'hashed_name', type: 'text', insert: false, update: false })
  hashedName: string;
}
