import { Injectable } from '@nestjs/common';
import { type Actor, Clock, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { type Policy, type PolicyTerms } from './policy.js';
import { type PolicyFilter, PolicyRepository } from './policy.repository.js';
import { PolicyNotFound, TooManyPolicies } from './policy.errors.js';

/** Every policy is read for every call, so there is an end to them. */
const MAX_POLICIES = 500;

/** A tenant's policies. A change counts from its commit on, on every process. */
@Injectable()
export class PolicyService {
  constructor(
    private readonly policies: PolicyRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws TooManyPolicies */
  async add(tx: Tx, actor: Actor, wanted: Omit<Policy, 'id'>): Promise<Policy> {
    const { tenantId, id: by } = actor;
    const policy = { id: newId('pol'), ...wanted };
    const policies = this.policies.in(tx);
    if ((await policies.count(tenantId)) >= MAX_POLICIES) throw new TooManyPolicies(MAX_POLICIES);
    await policies.insert(tenantId, policy, this.clock.now());
    const details = { policy_id: policy.id, ...wanted.rule, ...onlyTerms(policy), by };
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.proxy', action: 'policy_added', details });
    return policy;
  }

  /**
   * Gives a policy other terms; what is left out stays. A rate limit keeps what it has counted, in either mode.
   *
   * @throws PolicyNotFound when the tenant has no such policy
   */
  async change(tx: Tx, actor: Actor, id: string, terms: Partial<PolicyTerms>): Promise<Policy> {
    const { tenantId, id: by } = actor;
    const policies = this.policies.in(tx);
    const before = await policies.lock(tenantId, id);
    if (!before) throw new PolicyNotFound();
    const after = { ...before, ...terms };
    await policies.change(tenantId, id, after);
    const details = { policy_id: id, type: before.rule.type, ...onlyTerms(after), before: onlyTerms(before), by };
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.proxy', action: 'policy_changed', details });
    return after;
  }

  /** @throws PolicyNotFound when the tenant has no such policy */
  async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
    const { tenantId, id: by } = actor;
    const type = await this.policies.in(tx).remove(tenantId, id);
    if (type === null) throw new PolicyNotFound();
    const details = { policy_id: id, type, by };
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.proxy', action: 'policy_removed', details });
  }

  count(tenantId: string): Promise<number> {
    return this.policies.count(tenantId);
  }

  list(tenantId: string, filter: PolicyFilter, limit: number, after: string | null): Promise<Policy[]> {
    return this.policies.list(tenantId, filter, limit, after);
  }
}

function onlyTerms({ mode, scope, priority }: PolicyTerms): PolicyTerms {
  return { mode, scope, priority };
}
