import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput, type MicroUsd } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { ApprovalGrant } from './approval-grant.entity.js';
import { ApprovalGrantRepository, type GrantFilter, type WaitedCall } from './approval-grant.repository.js';
import { type DecidedRequest } from './approval-request.repository.js';
import { type ApprovalSettings, requiresSignature } from './approval-settings.entity.js';
import { ApprovalSettingsRepository } from './approval-settings.repository.js';
import { type ApprovalSubject, type RuleMatch, ruleIdsOf } from './approval-subject.js';
import { GrantNotFound, GrantNotPossible, TooManyGrants } from './approvals.errors.js';
import {
  type AlikeArguments,
  alikeArguments,
  type GrantableCall,
  type GrantTerms,
  isAlike,
  type WantedGrant,
} from './grant-terms.js';
import { type NewDecision } from './new-decision.js';

/** Of a tenant, of those that let something through. */
const MAX_LIVE = 1000;
/** And of one tool and agent: a call that waits looks through all of these. */
const MAX_OF_ONE = 100;
const NOTHING = 0n as MicroUsd;
const PREVIEW_MS = 7 * 24 * 60 * 60_000;
/** A preview looks at so many of the newest calls. */
const PREVIEW_CALLS = 1000;

const ALONE =
  'Calls like this one are each approved: it answers what a tool has asked, its amount is not clear, it has too many arguments, it was asked about before there were grants, or no call waits for the decision';
const DESTRUCTIVE = 'Calls of destructive tools are each approved, unless the settings say destructive_grants';

/** A grant that covers a call, locked until the transaction ends. */
export interface Covering {
  grant: ApprovalGrant;
  /** What the call spends of it. */
  amount: MicroUsd;
}

/** What a grant would have done in the last seven days. */
export interface GrantPreview {
  /** The agent's calls of the tool that waited for a human, of the newest thousand. */
  waited: number;
  /** Those that have the arguments that the grant asks for, and nothing else that holds them back. */
  alike: number;
  /** Those that it would have let through, oldest first, until it was used up. */
  letThrough: number;
}

/** Approvals of several calls alike. */
@Injectable()
export class ApprovalGrants {
  constructor(
    private readonly grants: ApprovalGrantRepository,
    private readonly settings: ApprovalSettingsRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Gives what was allowed with an approval, in the transaction that decides it; the entry of the decision says so.
   *
   * @throws GrantNotPossible, InvalidInput, TooManyGrants
   */
  async give(tx: Tx, actor: Actor, decided: DecidedRequest, wanted: WantedGrant, { by }: NewDecision): Promise<void> {
    const { tenantId } = actor;
    const call = checkedCall(decided, wanted, await this.settings.in(tx).find(tenantId));
    const grants = this.grants.in(tx);
    const now = this.clock.now();
    const basis = Buffer.from(call.basis, 'hex');
    if ((await grants.countLive(tenantId, now)) >= MAX_LIVE) throw new TooManyGrants(MAX_LIVE, 'A tenant');
    const { agentId } = decided;
    if ((await grants.countLive(tenantId, now, { agentId, basis })) >= MAX_OF_ONE)
      throw new TooManyGrants(MAX_OF_ONE, 'A tool, for one agent,');
    const { id, uses, totalAmount: total, freeArguments, ttlSeconds } = wanted;
    const grant = Object.assign(new ApprovalGrant(), {
      tenantId,
      id,
      requestId: decided.id,
      agentId,
      tool: decided.tool,
      basis,
      ruleIds: ruleIdsOf(decided),
      uses,
      used: 0,
      total,
      alike: JSON.stringify(alikeArguments(call.arguments, freeArguments)),
      spent: 0n as MicroUsd,
      grantedBy: by === '' ? actor.label : by,
      grantedKey: actor.id,
      createdAt: now,
      expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
      revokedAt: null,
      revokedKey: null,
    });
    await grants.insert(grant);
  }

  /** What a grant by that approval would have done lately. @throws GrantNotPossible, InvalidInput */
  async preview(request: DecidedRequest, terms: GrantTerms): Promise<GrantPreview> {
    const call = checkedCall(request, terms, await this.settings.find(request.tenantId));
    const since = new Date(this.clock.now().getTime() - PREVIEW_MS);
    const waited = await this.grants.waitedSince(request, since, PREVIEW_CALLS);
    const wanted = alikeArguments(call.arguments, terms.freeArguments);
    const ruleIds = ruleIdsOf(request);
    const alike = waited.filter((each) => isCovered(each, wanted, ruleIds)).reverse();
    let [letThrough, spent] = [0, 0n];
    for (const { amount } of alike) {
      if (letThrough === terms.uses || spent + amount > (terms.totalAmount ?? 0n)) continue;
      letThrough++;
      spent += amount;
    }
    return { waited: waited.length, alike: alike.length, letThrough };
  }

  /**
   * The grant that lets the call through, locked for the rest of the transaction; null when none does. Of racing calls each sees
   * what those before have left. What a human decided of exactly this call goes before: one that was denied since the grant was
   * given is not let through by it, and one that was approved by itself does not use it.
   */
  async cover(
    tx: Tx,
    { actor, agentId, digest, ...subject }: ApprovalSubject,
    match: RuleMatch,
  ): Promise<Covering | null> {
    const { grantable: call, amount } = subject;
    if (call === null || amount === 'unclear') return null;
    const { tenantId } = actor;
    const spends = amount ?? (0n as MicroUsd);
    const grants = this.grants.in(tx);
    const now = this.clock.now();
    const live = await grants.live(tenantId, agentId, Buffer.from(call.basis, 'hex'), now);
    const meant = live.filter(
      ({ alike, ruleIds }) =>
        isAlike(JSON.parse(alike) as AlikeArguments, call.arguments) &&
        ruleIdsOf(match).every((id) => ruleIds.includes(id)),
    );
    const [oldest] = meant;
    if (!oldest) return null;
    const { deniedAt, isApproved } = await grants.decidedApart(tenantId, digest, oldest.createdAt, now);
    if (isApproved) return null;
    // What the tenant asks for now holds for grants that were given before, too.
    const settings = await this.settings.in(tx).find(tenantId);
    if (call.destructive && !settings.destructiveGrants) return null;
    for (const each of meant.filter(({ createdAt }) => deniedAt === null || createdAt > deniedAt)) {
      const isSigned =
        !requiresSignature(settings, each.total ?? NOTHING, each.ruleIds) || (await grants.isSigned(each));
      const grant = isSigned ? await grants.lock(each, now, spends) : null;
      if (grant) return { grant, amount: spends };
    }
    return null;
  }

  /** Counts the call that is let through, and ends the question about it if it was asked. Commit before the call is made. */
  async use(tx: Tx, { actor, sessionId, agentId, digest }: ApprovalSubject, covering: Covering): Promise<void> {
    const { grant, amount } = covering;
    const grants = this.grants.in(tx);
    await grants.count(grant, amount);
    const requestIds = await grants.settle(grant, digest, this.clock.now());
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      sessionId,
      agentId,
      tool: 'haldir.approvals',
      action: 'approval_grant_used',
      details: {
        grant_id: grant.id,
        tool: grant.tool,
        digest: digest.toString('hex'),
        amount_micros: amount.toString(),
        used: grant.used + 1,
        uses: grant.uses,
        request_ids: requestIds,
      },
    });
  }

  list(tenantId: string, filter: GrantFilter, limit: number, before: string | null): Promise<ApprovalGrant[]> {
    return this.grants.list(tenantId, filter, this.clock.now(), limit, before);
  }

  /** @throws GrantNotFound */
  async get(tenantId: string, id: string): Promise<ApprovalGrant> {
    const grant = await this.grants.find(tenantId, id);
    if (!grant) throw new GrantNotFound();
    return grant;
  }

  /** Ends a grant; what it let through before stays so. Once more changes nothing. @throws GrantNotFound */
  async revoke(tx: Tx, actor: Actor, id: string): Promise<void> {
    const { tenantId } = actor;
    const grants = this.grants.in(tx);
    const isEnded = await grants.revoke(tenantId, id, this.clock.now(), actor.id);
    const grant = await grants.find(tenantId, id);
    if (!grant) throw new GrantNotFound();
    if (!isEnded) return;
    const { agentId, tool, used, uses } = grant;
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      agentId,
      tool: 'haldir.approvals',
      action: 'approval_grant_revoked',
      details: { grant_id: id, tool, used, uses, key: actor.id },
    });
  }

  /**
   * Ends every grant of one agent or, without one, of the whole tenant; answers how many there were. Without an entry of each:
   * whoever stops them says so once.
   */
  revokeAll(tx: Tx, { tenantId, id: key }: Actor, agentId: string | null): Promise<number> {
    return this.grants.in(tx).revokeAll(tenantId, agentId, this.clock.now(), key);
  }
}

/** The call whose like the terms allow. @throws GrantNotPossible, InvalidInput for terms that are none of this call */
function checkedCall(
  { grantable, amountUnclear, amount }: DecidedRequest,
  { freeArguments, totalAmount }: GrantTerms,
  { destructiveGrants }: ApprovalSettings,
): GrantableCall {
  if (grantable === null || amountUnclear) throw new GrantNotPossible(ALONE);
  const call = JSON.parse(grantable) as GrantableCall;
  if (call.destructive && !destructiveGrants) throw new GrantNotPossible(DESTRUCTIVE);
  if (freeArguments.some((free) => !call.arguments.some(([name]) => name === free)))
    throw new InvalidInput('grant.free_arguments: expected names of arguments that the call has');
  if (amount > (totalAmount ?? 0n))
    throw new InvalidInput('grant.total_amount: expected at least the amount of the call that waits');
  return call;
}

/** Whether a grant for calls with such arguments, which those rules may hold back, would be about a call that waited. */
function isCovered(call: WaitedCall, alike: AlikeArguments, ruleIds: readonly string[]): boolean {
  if (call.grantable === null || call.amountUnclear) return false;
  const { arguments: args } = JSON.parse(call.grantable) as GrantableCall;
  return isAlike(alike, args) && ruleIdsOf(call).every((id) => ruleIds.includes(id));
}
