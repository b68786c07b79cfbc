import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { SealBroken, TenantKeyGone } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { Egress } from '@haldir/egress';
import { Outbox } from '@haldir/events';
import { type EndpointKey } from './delivery.repository.js';
import { EndpointWaker } from './endpoint-waker.js';
import { FanOutRepository } from './fan-out.repository.js';
import { newSecret, WebhookSecrets } from './webhook-secrets.js';
import { type DisabledReason, Webhook } from './webhook.entity.js';
import { type WebhookFormat } from './webhook-format.js';
import { WebhookRepository } from './webhook.repository.js';
import {
  RotatedMeanwhile,
  TooManyWebhooks,
  WebhookDisabled,
  WebhookNotFound,
  WebhookSecretBroken,
} from './webhooks.errors.js';

export interface NewWebhook {
  name: string;
  url: string;
  /** Types of events, or `['all']`. */
  events: string[];
  format: WebhookFormat;
}

/** What is to be another than it was; what is left out stays. */
export interface WebhookChanges {
  name?: string;
  url?: string;
  /** Types of events, or `['all']`. */
  events?: string[];
  format?: WebhookFormat;
  active?: boolean;
}

/** An endpoint, and its secret in clear: the only time it is shown. */
export interface RegisteredWebhook {
  webhook: Webhook;
  secret: string;
}

/** A new secret on its way into an endpoint's row, and the one it takes the place of. */
export interface PreparedRotation {
  secret: string;
  previous: string;
}

export interface RotatedSecret {
  secret: string;
  previous: string;
  previousExpiresAt: Date;
}

const TOOL = 'haldir.webhooks';

/** Every event is written down once for each endpoint, so there is an end to them. */
const MAX_WEBHOOKS = 500;

/** The endpoints of tenants. What changes one is recorded in the audit log, without its URL's query and without secrets. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly webhooks: WebhookRepository,
    private readonly deliveries: FanOutRepository,
    private readonly secrets: WebhookSecrets,
    private readonly waker: EndpointWaker,
    private readonly egress: Egress,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Checks where a URL leads, which is checked again at every delivery, and makes the endpoint with its secret: before
   * the transaction that seals and keeps it, so that no transaction waits for anything else.
   *
   * @throws EgressRefused
   */
  async prepare(tenantId: string, wanted: NewWebhook): Promise<RegisteredWebhook> {
    await this.egress.vet(wanted.url);
    const id = await this.webhooks.nextId();
    const secret = newSecret();
    const webhook = Object.assign(new Webhook(), {
      tenantId,
      id,
      name: wanted.name,
      url: wanted.url,
      events: wanted.events,
      format: wanted.format,
      createdAt: this.clock.now(),
    });
    return { webhook, secret };
  }

  /**
   * @throws TooManyWebhooks
   */
  async register(tx: Tx, actor: Actor, { webhook, secret }: RegisteredWebhook): Promise<void> {
    const webhooks = this.webhooks.in(tx);
    webhook.secret = await this.secrets.seal(tx, webhook.tenantId, webhook.id, secret);
    if ((await webhooks.count(webhook.tenantId)) >= MAX_WEBHOOKS) throw new TooManyWebhooks(MAX_WEBHOOKS);
    await webhooks.insert(webhook);
    const { events, format, url } = webhook;
    const said = { events, format, origin: new URL(url).origin, by: actor.id };
    this.record(tx, actor, webhook.id, 'webhook_registered', said);
  }

  list(tenantId: string, limit: number, before: number | null): Promise<Webhook[]> {
    return this.webhooks.list(tenantId, limit, before);
  }

  /**
   * Checks where a changed URL leads: before the transaction of `change`, so that it waits for nothing else.
   *
   * @throws EgressRefused
   */
  async vetChanges({ url }: WebhookChanges): Promise<void> {
    if (url !== undefined) await this.egress.vet(url);
  }

  /**
   * Changes the endpoint; its secret stays. What waits for it goes to the new URL, in the new format. Switched off, it is sent nothing, and what waits is
   * cancelled; switched on, it is sent what comes from then on, and what it missed when that is recovered.
   *
   * @param changes of which the URL was vetted
   * @throws WebhookNotFound
   */
  async change(tx: Tx, actor: Actor, id: number, changes: WebhookChanges): Promise<Webhook> {
    const { tenantId, id: by } = actor;
    const webhooks = this.webhooks.in(tx);
    const webhook = await webhooks.findForUpdate(tenantId, id);
    if (!webhook) throw new WebhookNotFound();
    const { active, ...rest } = changes;
    if (Object.keys(rest).length > 0) await webhooks.change(tenantId, id, rest);
    if (active === true) await webhooks.enable(tenantId, id);
    if (active === false) await webhooks.disable(tenantId, id, this.clock.now(), 'requested');
    const { url, name: _, ...others } = changes;
    const origin = url === undefined ? {} : { origin: new URL(url).origin };
    this.record(tx, actor, id, 'webhook_changed', { ...others, ...origin, by });
    tx.onCommit(() => this.waker.wake([{ tenantId, webhookId: id }]));
    const changed = await webhooks.findForUpdate(tenantId, id);
    if (!changed) throw new WebhookNotFound();
    return changed;
  }

  /** Nothing is sent any more; what waits is cancelled. @throws WebhookNotFound */
  async remove(tx: Tx, actor: Actor, id: number): Promise<void> {
    if (!(await this.webhooks.in(tx).remove(actor.tenantId, id, this.clock.now()))) throw new WebhookNotFound();
    this.record(tx, actor, id, 'webhook_deleted', { by: actor.id });
  }

  /**
   * Makes a new secret before the transaction that keeps it; null when the tenant has no such endpoint.
   *
   * @throws WebhookSecretBroken
   */
  async prepareRotation(tenantId: string, id: number): Promise<PreparedRotation | null> {
    const previous = await this.currentSecret(tenantId, id)
      .catch((error: unknown) => {
        // It was sealed anew meanwhile.
        if (error instanceof TenantKeyGone) return this.currentSecret(tenantId, id);
        throw error;
      })
      .catch((error: unknown) => {
        throw error instanceof SealBroken ? new WebhookSecretBroken() : error;
      });
    return previous === null ? null : { secret: newSecret(), previous };
  }

  /**
   * Gives the endpoint its new secret. Until the grace is over the previous one signs too; the one before that signs no
   * more.
   *
   * @throws WebhookNotFound; RotatedMeanwhile when another rotation was faster, whose secret would be given up at once
   */
  async rotateSecret(
    tx: Tx,
    actor: Actor,
    id: number,
    prepared: PreparedRotation | null,
    graceSeconds: number,
  ): Promise<RotatedSecret> {
    if (!prepared) throw new WebhookNotFound();
    const { tenantId, id: by } = actor;
    const { secret, previous } = prepared;
    const sealed = await this.secrets.seal(tx, tenantId, id, secret);
    const webhook = await this.webhooks.in(tx).findForUpdate(tenantId, id);
    if (!webhook) throw new WebhookNotFound();
    if ((await this.secrets.open(tenantId, id, webhook.secret, { tx })) !== previous) throw new RotatedMeanwhile();
    const previousExpiresAt = new Date(this.clock.now().getTime() + graceSeconds * 1000);
    webhook.secretPrev = await this.secrets.seal(tx, tenantId, id, previous, 'secret_prev');
    webhook.secret = sealed;
    webhook.secretPrevExpiresAt = previousExpiresAt;
    await this.webhooks.in(tx).saveSecrets(webhook);
    this.record(tx, actor, id, 'webhook_secret_rotated', { grace_seconds: graceSeconds, by });
    return { secret, previous, previousExpiresAt };
  }

  /**
   * Sends a `webhook_test` event to this endpoint alone; answers the event's id.
   *
   * @throws WebhookNotFound, WebhookDisabled
   */
  async test(tx: Tx, tenantId: string, id: number): Promise<string> {
    const webhook = await this.webhooks.in(tx).findForUpdate(tenantId, id);
    if (!webhook) throw new WebhookNotFound();
    if (webhook.disabledAt !== null) throw new WebhookDisabled();
    const eventId = newId('evt');
    await this.deliveries.send(tx, id, {
      tenantId,
      eventId,
      type: 'webhook_test',
      at: this.clock.now(),
      data: { webhook_id: id, message: 'This is a test event from Haldir' },
    });
    tx.onCommit(() => this.waker.wake([{ tenantId, webhookId: id }]));
    return eventId;
  }

  /** Switches an endpoint off, because it said so or failed for days; others are told (`webhook_disabled`). */
  async disable(tx: Tx, { tenantId, webhookId }: EndpointKey, reason: DisabledReason): Promise<void> {
    const done = await this.webhooks.in(tx).disable(tenantId, webhookId, this.clock.now(), reason);
    if (!done) return;
    this.record(tx, haldirActor(tenantId), webhookId, 'webhook_disabled', { reason });
    const name = (await this.webhooks.in(tx).findForUpdate(tenantId, webhookId))?.name ?? '';
    this.outbox.publish(tx, tenantId, { type: 'webhook_disabled', data: { webhook_id: webhookId, name, reason } });
  }

  private async currentSecret(tenantId: string, id: number): Promise<string | null> {
    const webhook = await this.webhooks.find(tenantId, id);
    return webhook && this.secrets.open(tenantId, id, webhook.secret);
  }

  private record(tx: Tx, actor: Actor, id: number, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: TOOL,
      action,
      details: { webhook_id: id, ...details },
    });
  }
}
