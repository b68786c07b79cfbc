import { Controller, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, Cursors, Refuses, RequiresScope, Returns, Write, type WriteRequest, Writes } from '@haldir/http';
import { DeliveryLog } from '../delivery-log.js';
import { DeliveryList, DeliveryRetried, ListDeliveries, toDeliveryAttempt } from './delivery.dto.js';

@ApiTags('webhooks')
@Controller('v1/webhooks/deliveries')
export class DeliveryController {
  constructor(
    private readonly log: DeliveryLog,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @RequiresScope('webhooks:read')
  @ApiOperation({
    operationId: 'listWebhookDeliveries',
    summary: 'List delivery attempts',
    description: 'List attempts to deliver events, newest first, by webhook, outcome and event type.',
  })
  @Returns(HttpStatus.OK, DeliveryList, 'Delivery attempts')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListDeliveries }) query: ListDeliveries,
  ): Promise<DeliveryList> {
    const { limit, cursor, webhook_id: webhookId, status, event, event_id: eventId } = query;
    const filter = { webhookId, status, event, eventId };
    const { items, nextCursor } = await this.cursors.listByNumber(
      { tenantId, list: 'webhook-deliveries', filters: filter },
      { limit, cursor },
      (count, before) => this.log.list(tenantId, filter, count, before),
      ({ id }) => id,
    );
    return { deliveries: items.map(toDeliveryAttempt), count: items.length, next_cursor: nextCursor };
  }

  @Post(':delivery_id/retry')
  @RequiresScope('webhooks:write')
  @ApiParam({ name: 'delivery_id', description: 'Delivery ID', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'retryWebhookDelivery',
    summary: 'Retry a delivery',
    description: 'Send the event again now, whatever became of it: the same bytes under the same webhook-id.',
  })
  @Returns(HttpStatus.ACCEPTED, DeliveryRetried, 'Delivery queued')
  @Refuses('Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  retry(
    @CurrentActor() actor: Actor,
    @Param('delivery_id') deliveryId: string,
    @Write() write: WriteRequest,
  ): Promise<DeliveryRetried> {
    return this.writes.run(write, async (tx): Promise<DeliveryRetried> => {
      await this.log.retry(tx, actor, deliveryId);
      return { queued: true, delivery_id: deliveryId };
    });
  }
}
