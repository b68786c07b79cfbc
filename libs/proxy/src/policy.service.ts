import { Inject, Injectable } from '@nestjs/common';
import { Clock, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { type Policy, type PolicyRule } from './policy.js';
import { PolicyRepository } from './policy.repository.js';
import { PolicyNotFound, TooManyPolicies } from './proxy.errors.js';

/** Every policy is read for every call, so there is an end to them. */
const MAX_POLICIES = 500;

/** A tenant's policies. A change counts from its commit on, on every process. */
@Injectable()
export class PolicyService {
  constructor(
    @Inject(PolicyRepository) private readonly policies: PolicyRepository,
    @Inject(AuditLog) private readonly auditLog: AuditLog,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws TooManyPolicies */
  async add(tx: Tx, tenantId: string, rule: PolicyRule, by: string): Promise<Policy> {
    const policy = { id: newId('pol'), rule };
    if (!(await this.policies.in(tx).insert(tenantId, policy, this.clock.now(), MAX_POLICIES))) {
      throw new TooManyPolicies(MAX_POLICIES);
    }
    const details = { policy_id: policy.id, ...rule, by };
    this.auditLog.record(tx, tenantId, { source: 'haldir', tool: 'haldir.proxy', action: 'policy_added', details });
    return policy;
  }

  /** @throws PolicyNotFound when the tenant has no such policy */
  async remove(tx: Tx, tenantId: string, id: string, by: string): Promise<void> {
    const type = await this.policies.in(tx).remove(tenantId, id);
    if (type === null) throw new PolicyNotFound();
    const details = { policy_id: id, type, by };
    this.auditLog.record(tx, tenantId, { source: 'haldir', tool: 'haldir.proxy', action: 'policy_removed', details });
  }

  count(tenantId: string): Promise<number> {
    return this.policies.count(tenantId);
  }

  list(tenantId: string, limit: number, after: string | null): Promise<Policy[]> {
    return this.policies.list(tenantId, limit, after);
  }
}
