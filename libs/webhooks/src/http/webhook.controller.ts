import { Body, Controller, Delete, Get, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import {
  CurrentActor,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { deliveryId, DeliveryLog } from '../delivery-log.js';
import { WebhookService } from '../webhook.service.js';
import { WebhookNotFound } from '../webhooks.errors.js';
import {
  ChangeWebhook,
  ListWebhooks,
  RecoverWebhook,
  RegisterWebhook,
  RotateSecret,
  SecretRotated,
  TestQueued,
  toNewWebhook,
  toSecretRotated,
  toWebhookChanges,
  toWebhookItem,
  toWebhookRegistered,
  WebhookDeleted,
  WebhookItem,
  WebhookList,
  WebhookRecovering,
  WebhookRegistered,
} from './webhook.dto.js';

const WebhookIdPath = () =>
  ApiParam({ name: 'webhook_id', description: 'Webhook ID', schema: { type: 'integer', minimum: 1 } });

@ApiTags('webhooks')
@Controller('v1/webhooks')
export class WebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly log: DeliveryLog,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post()
  @RequiresScope('webhooks:write')
  @ApiOperation({
    operationId: 'registerWebhook',
    summary: 'Register a webhook',
    description:
      'Register a URL to receive real-time event notifications (anomaly, approval_requested, budget_exhausted).',
  })
  @JsonBody(RegisterWebhook)
  @Returns(HttpStatus.CREATED, WebhookRegistered, 'Webhook registered')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async register(
    @CurrentActor() actor: Actor,
    @Body({ schema: RegisterWebhook }) body: RegisterWebhook,
    @Write() write: WriteRequest,
  ): Promise<WebhookRegistered> {
    const prepared = await this.webhooks.prepare(actor.tenantId, toNewWebhook(body));
    return this.writes.run(write, async (tx) => {
      await this.webhooks.register(tx, actor, prepared);
      return toWebhookRegistered(prepared);
    });
  }

  @Get()
  @RequiresScope('webhooks:read')
  @ApiOperation({
    operationId: 'listWebhooks',
    summary: 'List registered webhooks',
    description: 'List all webhooks registered for this account.',
  })
  @Returns(HttpStatus.OK, WebhookList, 'Webhook list')
  @Refuses('Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListWebhooks }) { limit, cursor }: ListWebhooks,
  ): Promise<WebhookList> {
    const page = await this.cursors.listByNumber(
      { tenantId, list: 'webhooks', filters: {} },
      { limit, cursor },
      (count, before) => this.webhooks.list(tenantId, count, before),
      ({ id }) => id,
    );
    const now = this.clock.now();
    return {
      webhooks: page.items.map((webhook) => toWebhookItem(webhook, now)),
      count: page.items.length,
      next_cursor: page.nextCursor,
    };
  }

  @Patch(':webhook_id')
  @RequiresScope('webhooks:write')
  @WebhookIdPath()
  @ApiOperation({
    operationId: 'changeWebhook',
    summary: 'Change a webhook',
    description:
      'Change where a webhook is sent, what it hears of, or whether it is sent anything at all; what is left out stays, and so does its secret. While a webhook is disabled its events are kept (WEBHOOK_RETENTION_DAYS): switch it on, then recover them.',
  })
  @JsonBody(ChangeWebhook)
  @Returns(HttpStatus.OK, WebhookItem, 'The webhook as it is now')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  async change(
    @CurrentActor() actor: Actor,
    @Param('webhook_id') param: string,
    @Body({ schema: ChangeWebhook }) body: ChangeWebhook,
    @Write() write: WriteRequest,
  ): Promise<WebhookItem> {
    const id = readWebhookId(param);
    const changes = toWebhookChanges(body);
    await this.webhooks.vetChanges(changes);
    return this.writes.run(write, async (tx): Promise<WebhookItem> =>
      toWebhookItem(await this.webhooks.change(tx, actor, id, changes), this.clock.now()),
    );
  }

  @Post(':webhook_id/recover')
  @RequiresScope('webhooks:write')
  @WebhookIdPath()
  @ApiOperation({
    operationId: 'recoverWebhook',
    summary: 'Recover what a webhook missed',
    description:
      'Send what was not delivered: events that came while the webhook was disabled, and deliveries that were given up, the same bytes under the same webhook-id. What was delivered is not sent again. Up to 10,000 at once.',
  })
  @JsonBody(RecoverWebhook)
  @Returns(HttpStatus.ACCEPTED, WebhookRecovering, 'Deliveries queued')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  recover(
    @CurrentActor() actor: Actor,
    @Param('webhook_id') param: string,
    @Body({ schema: RecoverWebhook }) { since }: RecoverWebhook,
    @Write() write: WriteRequest,
  ): Promise<WebhookRecovering> {
    const id = readWebhookId(param);
    return this.writes.run(write, async (tx): Promise<WebhookRecovering> => ({
      webhook_id: id,
      ...(await this.log.recover(tx, actor, id, since)),
    }));
  }

  @Delete(':webhook_id')
  @RequiresScope('webhooks:write')
  @WebhookIdPath()
  @ApiOperation({
    operationId: 'deleteWebhook',
    summary: 'Delete a webhook',
    description: 'End a webhook. Nothing is sent to it any more, not even what was waiting.',
  })
  @Returns(HttpStatus.OK, WebhookDeleted, 'Webhook deleted')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('webhook_id') param: string,
    @Write() write: WriteRequest,
  ): Promise<WebhookDeleted> {
    const id = readWebhookId(param);
    return this.writes.run(write, async (tx): Promise<WebhookDeleted> => {
      await this.webhooks.remove(tx, actor, id);
      return { deleted: true, webhook_id: id };
    });
  }

  @Post(':webhook_id/rotate-secret')
  @RequiresScope('webhooks:write')
  @WebhookIdPath()
  @ApiOperation({
    operationId: 'rotateWebhookSecret',
    summary: 'Rotate a webhook secret',
    description: 'Make a new signing secret. During the grace period both the new and the previous secret sign.',
  })
  @Returns(HttpStatus.OK, SecretRotated, 'Secret rotated')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  async rotate(
    @CurrentActor() actor: Actor,
    @Param('webhook_id') param: string,
    @Query({ schema: RotateSecret }) { grace_seconds: graceSeconds }: RotateSecret,
    @Write() write: WriteRequest,
  ): Promise<SecretRotated> {
    const id = readWebhookId(param);
    const prepared = await this.webhooks.prepareRotation(actor.tenantId, id);
    return this.writes.run(write, async (tx) => {
      const rotated = await this.webhooks.rotateSecret(tx, actor, id, prepared, graceSeconds);
      return toSecretRotated(id, rotated, graceSeconds);
    });
  }

  @Post(':webhook_id/test')
  @RequiresScope('webhooks:write')
  @WebhookIdPath()
  @ApiOperation({
    operationId: 'testWebhook',
    summary: 'Send a test event',
    description: 'Send a webhook_test event to this webhook alone, signed and retried like any other.',
  })
  @Returns(HttpStatus.ACCEPTED, TestQueued, 'Test event queued')
  @Refuses('Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  test(
    @CurrentActor() { tenantId }: Actor,
    @Param('webhook_id') param: string,
    @Write() write: WriteRequest,
  ): Promise<TestQueued> {
    const id = readWebhookId(param);
    return this.writes.run(write, async (tx): Promise<TestQueued> => {
      const eventId = await this.webhooks.test(tx, tenantId, id);
      return {
        queued: true,
        webhook_id: id,
        event_id: eventId,
        delivery_id: deliveryId({ tenantId, eventId, webhookId: id }),
      };
    });
  }
}

/** @throws WebhookNotFound for what cannot be an id: it names no webhook */
function readWebhookId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new WebhookNotFound();
  return Number(text);
}
