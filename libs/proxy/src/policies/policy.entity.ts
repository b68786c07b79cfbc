import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Policy, type PolicyMode, type PolicyRule, type PolicyScope, type PolicyType } from './policy.js';

/** A policy as it is kept: what it says beside its type is one value. */
@Entity('proxy_policy')
export class StoredPolicy {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Time-ordered: also the order in which policies were made. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  type: PolicyType;

  @Column({ type: 'jsonb' })
  params: Record<string, unknown>;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ type: 'text' })
  mode: PolicyMode;

  @Column({ type: 'jsonb' })
  scope: PolicyScope;

  @Column({ type: 'integer' })
  priority: number;
}

/** The parameters were checked when the policy was made. */
export function toPolicy({ id, type, params, mode, scope, priority }: Omit<StoredPolicy, 'createdAt'>): Policy {
  return { id, rule: { type, ...params } as PolicyRule, mode, scope, priority };
}
