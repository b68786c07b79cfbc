import { Injectable } from '@nestjs/common';
import { Clock, HaldirError } from '@haldir/kernel';
import { SealBroken, TenantKeyGone } from '@haldir/crypto';
import { Egress, EgressFailed, EgressRefused, type EgressTarget } from '@haldir/egress';
import { HaldirConfig, Log } from '@haldir/runtime';
import { type AttemptOutcome, type ClaimedDelivery, type EndpointState } from '../delivery.repository.js';
import { nextAttempt, parseRetryAfter } from '../retry-schedule.js';
import { bodyIn, type WebhookFormat } from '../webhook-format.js';
import { messageHeaders } from '../webhook-message.js';
import { WebhookSecrets } from '../webhook-secrets.js';
import { WebhookRepository } from '../webhook.repository.js';

/** Enough to let the connection be used again; nothing of it is kept. */
const MAX_RESPONSE_BYTES = 16_384;
const GONE = 410;

/** An endpoint with its secrets open, for as long as one claim's deliveries are under way. */
export interface OpenEndpoint {
  webhookId: number;
  format: WebhookFormat;
  /** Null when the URL breaks the policy by now. */
  target: EgressTarget | null;
  /** Null when they were altered or moved behind Haldir's back: nothing is sent that cannot be signed. */
  secrets: readonly [current: string, previous?: string] | null;
}

type SealedSecrets = Pick<EndpointState, 'secret' | 'secretPrev' | 'secretPrevExpiresAt'>;

export interface Attempted {
  outcome: AttemptOutcome;
  /** The endpoint says it wants nothing more. */
  gone: boolean;
}

/** One attempt: signs, sends, and says what became of it. */
@Injectable()
export class DeliveryAttempts {
  constructor(
    private readonly egress: Egress,
    private readonly secrets: WebhookSecrets,
    private readonly webhooks: WebhookRepository,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Opens an endpoint's secrets and checks its URL. */
  async open(tenantId: string, webhookId: number, state: EndpointState): Promise<OpenEndpoint> {
    return {
      webhookId,
      format: state.format,
      target: this.targetOf(state.url),
      secrets: await this.secretsOf(tenantId, webhookId, state),
    };
  }

  /** Never fails: what goes wrong is the outcome. A 2xx is a success, everything else a failure. */
  async make(delivery: ClaimedDelivery, endpoint: OpenEndpoint, connections: number): Promise<Attempted> {
    const at = this.clock.now();
    const attempt = delivery.attempts + 1;
    const startedAt = performance.now();
    const base = {
      tenantId: delivery.tenantId,
      webhookId: delivery.webhookId,
      eventId: delivery.eventId,
      event: delivery.type,
      attempt,
      attemptsLeft: delivery.attemptsLeft - 1,
      at,
    };
    let statusCode: number | null = null;
    let error: string | null = null;
    let retryAfterMs: number | null = null;
    try {
      if (endpoint.target === null) throw new EgressRefused('address');
      if (endpoint.secrets === null) throw new SealBroken();
      const body = bodyIn(endpoint.format, delivery, this.config.publicBase);
      const { status, headers } = await this.egress.request({
        method: 'POST',
        url: endpoint.target,
        headers: messageHeaders({ ...delivery, body, attempt }, endpoint.secrets, Math.floor(at.getTime() / 1000)),
        body,
        deadlineMs: this.config.webhooks.timeoutMs,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        onOverflow: 'truncate',
        pool: { key: `webhook-${delivery.webhookId}`, connections },
      });
      statusCode = status;
      if (status < 200 || status > 299) {
        error = 'status';
        retryAfterMs = parseRetryAfter(headers['retry-after'], this.clock.now());
      }
    } catch (failure) {
      error = failureName(failure);
    }
    const now = this.clock.now();
    const gone = statusCode === GONE;
    const next = error === null || gone ? null : nextAttempt(now, base.attemptsLeft, retryAfterMs, Math.random());
    const outcome: AttemptOutcome = {
      ...base,
      statusCode,
      error,
      durationMs: performance.now() - startedAt,
      state: error === null ? 'delivered' : next === null ? 'failed' : 'pending',
      nextAttemptAt: next ?? now,
    };
    return { outcome, gone };
  }

  private async secretsOf(tenantId: string, webhookId: number, state: SealedSecrets): Promise<OpenEndpoint['secrets']> {
    try {
      return await this.openSecrets(tenantId, webhookId, state).catch(async (error: unknown) => {
        // They were sealed anew since they were read.
        const now = error instanceof TenantKeyGone ? await this.webhooks.find(tenantId, webhookId) : null;
        if (!now) throw error;
        return this.openSecrets(tenantId, webhookId, now);
      });
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.log.error({ event: 'webhook.secret_does_not_open', tenant: tenantId, webhook: webhookId });
      return null;
    }
  }

  private async openSecrets(
    tenantId: string,
    webhookId: number,
    { secret, secretPrev, secretPrevExpiresAt }: SealedSecrets,
  ): Promise<[current: string, previous?: string]> {
    const current = await this.secrets.open(tenantId, webhookId, secret);
    const signsAlong = secretPrevExpiresAt !== null && secretPrevExpiresAt > this.clock.now();
    if (!signsAlong || secretPrev === null) return [current];
    return [current, await this.secrets.open(tenantId, webhookId, secretPrev, { column: 'secret_prev' })];
  }

  private targetOf(url: string): EgressTarget | null {
    try {
      return this.egress.target(url);
    } catch (error) {
      if (error instanceof EgressRefused) return null;
      throw error;
    }
  }
}

/** A closed set of names, fit for the delivery log: nothing of what the endpoint said. */
function failureName(failure: unknown): string {
  if (failure instanceof EgressRefused) return 'egress_refused';
  if (failure instanceof EgressFailed) return failure.reason;
  if (failure instanceof SealBroken) return 'secret_broken';
  return failure instanceof HaldirError ? failure.code : 'internal';
}
