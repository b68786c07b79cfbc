import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { canonicalJson, Clock, toDollars } from '@haldir/kernel';
import { ApprovalCounts } from '@haldir/approvals';
import { LogSums, LogTree } from '@haldir/audit-log';
import { ApiKeyService, keyPrefix, monthOf, SessionService, UsageMeter } from '@haldir/gate';
import { type Caller } from '@haldir/http';
import { PaymentTotals, SecretService } from '@haldir/vault';
import { AuditTrailService, ChainVerification } from '@haldir/watch';
import { DeliveryLog, WebhookService } from '@haldir/webhooks';
import { type Evidence, type Overview } from './overview.dto.js';
import { StatusReport } from './status-report.js';

const DAY_MS = 86_400_000;
/** What is counted by looking at each. */
const MOST = 1000;

/** A tenant's figures in one answer, from all domains. */
@Injectable()
export class Overviews {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly sessions: SessionService,
    private readonly secrets: SecretService,
    private readonly payments: PaymentTotals,
    private readonly approvals: ApprovalCounts,
    private readonly webhooks: WebhookService,
    private readonly deliveries: DeliveryLog,
    private readonly sums: LogSums,
    private readonly tree: LogTree,
    private readonly trail: AuditTrailService,
    private readonly chain: ChainVerification,
    private readonly usage: UsageMeter,
    private readonly status: StatusReport,
    private readonly clock: Clock,
  ) {}

  async overview({ actor: { tenantId }, tenantTier }: Caller): Promise<Overview> {
    const now = this.clock.now();
    const month = monthOf(now);
    const [requests, cost, active, secrets, log, webhooks, approvals, { status, components }] = await Promise.all([
      this.usage.requestsIn(tenantId, month),
      this.sums.costSince(tenantId, `${month}-01`),
      this.sessions.countActive(tenantId),
      this.secrets.count(tenantId),
      this.log(tenantId, new Date(now.getTime() - 7 * DAY_MS), now),
      this.webhookFigures(tenantId, new Date(now.getTime() - DAY_MS), now),
      this.approvals.of(tenantId),
      this.status.now(),
    ]);
    return {
      tenant_id: tenantId,
      tier: tenantTier,
      generated_at: now.toISOString(),
      usage: { actions_this_month: requests, spend_usd_this_month: toDollars(cost) },
      sessions: { active_count: active },
      vault: { secrets_count: secrets },
      audit: {
        total_entries: log.entries,
        flagged_7d: log.flagged,
        last_entry_at: log.lastAt,
        chain_verified: log.verified,
      },
      webhooks: {
        registered_count: webhooks.registered,
        deliveries_24h: webhooks.attempts,
        delivery_success_rate_24h: webhooks.rate,
        failed_24h: webhooks.attempts - webhooks.delivered,
      },
      approvals: { pending_count: approvals.pending },
      health: { status, components: components.map(({ name, state, message }) => ({ name, state, message })) },
    };
  }

  /** What an auditor asks for, with a digest over all of it but the time it was made. */
  async evidence({ actor: { tenantId }, tenantTier }: Caller, since: Date, until: Date): Promise<Evidence> {
    const now = this.clock.now();
    const [keys, log, payments, approvals, webhooks, head] = await Promise.all([
      this.keys.list(tenantId, {}, MOST, null),
      this.log(tenantId, since, until),
      this.payments.totals(tenantId),
      this.approvals.of(tenantId),
      this.webhookFigures(tenantId, since, until),
      this.tree.head(tenantId, 0),
    ]);
    const pack = {
      format_version: 1,
      period_start: since.toISOString(),
      period_end: until.toISOString(),
      tenant_id: tenantId,
      identity: { tenant_id: tenantId, tier: tenantTier, period_days: (until.getTime() - since.getTime()) / DAY_MS },
      access_control: {
        key_count: keys.length,
        has_scoped_keys: keys.some(({ scopes }) => !scopes.includes('*')),
        keys: keys.map((key) => ({
          prefix: keyPrefix(key.publicId),
          name: key.name,
          tier: key.tier,
          scopes: key.scopes,
          created_at: key.createdAt.toISOString(),
          last_used: key.lastUsedAt?.toISOString() ?? null,
          revoked: key.revokedAt !== null,
        })),
      },
      encryption: { cipher: 'AES-256-GCM', key_size_bits: 256, key_configured: true, ciphertext_portable: false },
      audit_trail: {
        total_entries: log.entries,
        flagged_in_period: log.flagged,
        last_recorded: log.lastAt,
        chain_verified: log.verified,
        tree_size: head.size,
        root_hash: head.root.toString('hex'),
      },
      spend_governance: {
        payment_authorizations_count: payments.count,
        payment_authorizations_usd: toDollars(payments.totalMicros),
      },
      approvals: { requests_total: approvals.total, pending: approvals.pending },
      webhooks: {
        registered_endpoints: webhooks.registered,
        deliveries_in_period: webhooks.attempts,
        successful_deliveries: webhooks.delivered,
        delivery_success_rate: webhooks.rate,
        signed_payloads: true,
        signature_algorithm: 'HMAC-SHA256',
      },
    };
    const digest = createHash('sha256').update(canonicalJson(pack)).digest('hex');
    return { ...pack, generated_at: now.toISOString(), signatures: { algorithm: 'SHA-256', digest } };
  }

  private async log(tenantId: string, since: Date, until: Date) {
    const [totals, flagged, newest, verdict] = await Promise.all([
      this.sums.totals(tenantId, until.toISOString().slice(0, 10), 1),
      this.trail.list(tenantId, { flagged: true, since, until }, MOST, null),
      this.trail.list(tenantId, {}, 1, null),
      this.chain.verify(tenantId),
    ]);
    const [last] = newest.entries;
    const lastAt = last ? new Date(Number(last.atMicros / 1000n)).toISOString() : null;
    return { entries: totals.entries, flagged: flagged.entries.length, lastAt, verified: verdict.verified };
  }

  private async webhookFigures(tenantId: string, since: Date, until: Date) {
    const [webhooks, { attempts, delivered }] = await Promise.all([
      this.webhooks.list(tenantId, MOST, null),
      this.deliveries.figures(tenantId, since, until),
    ]);
    return { registered: webhooks.length, attempts, delivered, rate: attempts === 0 ? 1 : delivered / attempts };
  }
}
