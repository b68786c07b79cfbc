import { Injectable } from '@nestjs/common';
import { type Actor, InvalidInput, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { ApprovalRuleService } from './approval-rule.service.js';
import { type ApprovalSettings } from './approval-settings.entity.js';
import { ApprovalSettingsRepository, type ChangedSettings } from './approval-settings.repository.js';

@Injectable()
export class ApprovalSettingsService {
  constructor(
    private readonly settings: ApprovalSettingsRepository,
    private readonly rules: ApprovalRuleService,
    private readonly auditLog: AuditLog,
  ) {}

  find(tenantId: string): Promise<ApprovalSettings> {
    return this.settings.find(tenantId);
  }

  /**
   * Holds for decisions that begin afterwards. Answers all of the settings as they are then.
   *
   * @throws InvalidInput for a rule that the tenant does not have: a misspelt one would ask for no signature. Policies are not looked at
   */
  async change(tx: Tx, actor: Actor, changed: Omit<ChangedSettings, 'tenantId'>): Promise<ApprovalSettings> {
    const { tenantId } = actor;
    const named = changed.signatureRules?.filter((id) => id.startsWith('apl_')) ?? [];
    const known = named.length === 0 ? [] : await this.rules.allOf(tenantId);
    if (named.some((id) => !known.some((rule) => rule.id === id)))
      throw new InvalidInput('require_signature_rules: expected ids of approval rules that are there, or of policies');
    await this.settings.in(tx).put({ tenantId, ...changed });
    const settings = await this.settings.in(tx).find(tenantId);
    const { forbidSelfApproval, signatureFrom, signatureRules, destructiveGrants } = settings;
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: 'haldir.approvals',
      action: 'approval_settings_changed',
      details: {
        forbid_self_approval: forbidSelfApproval,
        require_signature_from: signatureFrom === null ? null : toDollars(signatureFrom),
        require_signature_rules: signatureRules,
        destructive_grants: destructiveGrants,
        by: actor.id,
      },
    });
    return settings;
  }
}
