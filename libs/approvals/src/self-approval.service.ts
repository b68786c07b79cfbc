import { Injectable } from '@nestjs/common';
import { type Actor, Clock } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { SessionService } from '@haldir/gate';
import { ApprovalRequestRepository } from './approval-request.repository.js';
import { ApprovalSettingsRepository } from './approval-settings.repository.js';
import { SelfApproval } from './approvals.errors.js';

/** Keeps, where the tenant wants it so, whoever asked from deciding. */
@Injectable()
export class SelfApprovalService {
  constructor(
    private readonly settings: ApprovalSettingsRepository,
    private readonly requests: ApprovalRequestRepository,
    private readonly sessions: SessionService,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Where the tenant wants that, refuses a decision by the principal that asked for a pending request or opened its session, and
   * writes that down; one that is not known counts as that one. Always refuses one by the person who asked. Whatever else there is against a decision is not looked at here.
   *
   * @throws SelfApproval
   */
  async refuseOwn(actor: Actor, requestId: string): Promise<void> {
    const { tenantId, id: key, kind } = actor;
    const isForbidden = (await this.settings.find(tenantId)).forbidSelfApproval;
    // A person never decides what they asked for, whatever the tenant says of keys.
    if (!isForbidden && kind !== 'person') return;
    const request = await this.requests.find(tenantId, requestId);
    if (request?.statusAt(this.clock.now()) !== 'pending') return;
    const { sessionId, agentId, requestedKey } = request;
    if (!isForbidden && requestedKey !== key) return;
    const openedKey = await this.sessions.openedKey(tenantId, sessionId);
    if (requestedKey !== null && openedKey !== null && requestedKey !== key && openedKey !== key) return;
    await this.auditLog.append(actor, {
      source: 'haldir',
      sessionId,
      agentId,
      tool: 'haldir.approvals',
      action: 'approval_self_decision',
      details: { request_id: requestId, decision: 'blocked', key },
    });
    throw new SelfApproval();
  }
}
