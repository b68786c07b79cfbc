import { Body, Controller, Get, HttpStatus, Inject, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { keyPrefix } from '@haldir/gate';
import {
  Answer,
  Answers,
  type Caller,
  CurrentCaller,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
} from '@haldir/http';
import { PaymentService } from '../index.js';
import {
  AuthorizePayment,
  ListPayments,
  PaymentList,
  PaymentResult,
  toNewPayment,
  toPaymentDetail,
  toPaymentResult,
} from './payment.dto.js';

@ApiTags('vault')
@Controller('v1/payments')
export class PaymentController {
  constructor(
    @Inject(PaymentService) private readonly payments: PaymentService,
    @Inject(Writes) private readonly writes: Writes,
    @Inject(Cursors) private readonly cursors: Cursors,
  ) {}

  @Post('authorize')
  @RequiresScope('payments:write')
  @ApiOperation({
    operationId: 'authorizePayment',
    summary: 'Authorize a payment',
    description: "Authorize a payment against a session's spend budget. Denied if insufficient budget remains.",
  })
  @ApiBody({ required: true, standardSchema: AuthorizePayment } as never)
  @Returns(HttpStatus.OK, PaymentResult, 'Payment authorized')
  @Answers(HttpStatus.FORBIDDEN, PaymentResult, 'Payment denied (budget exceeded)')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async authorize(
    @CurrentCaller() { tenantId, keyId }: Caller,
    @Body({ schema: AuthorizePayment }) body: AuthorizePayment,
    @Write() write: WriteRequest,
  ): Promise<PaymentResult> {
    const payment = toNewPayment(tenantId, keyPrefix(keyId), body);
    const prepared = await this.payments.prepare(payment);
    if (write.idempotencyKey !== null) {
      return this.writes.run(write, async (tx) =>
        toPaymentResult(payment, await this.payments.authorizeIn(tx, prepared)),
      );
    }
    const result = toPaymentResult(payment, await this.payments.authorize(prepared));
    if (!(result instanceof Answer)) return result;
    void write.reply.status(result.status);
    return result.body;
  }

  @Get()
  @RequiresScope('payments:read')
  @ApiOperation({
    operationId: 'listPayments',
    summary: 'List payments',
    description: 'List authorized payments, newest first, by session and agent. Denials are in the audit trail.',
  })
  @Returns(HttpStatus.OK, PaymentList, 'Payments')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentCaller() { tenantId }: Caller,
    @Query({ schema: ListPayments }) query: ListPayments,
  ): Promise<PaymentList> {
    const { limit, cursor, session_id: sessionId, agent_id: agentId } = query;
    const identity = { tenantId, list: 'payments', filters: { sessionId, agentId } };
    const before = cursor === undefined ? null : String(this.cursors.decode(identity, cursor)[0]);
    const found = await this.payments.list(tenantId, { sessionId, agentId }, limit + 1, before);
    const { items, nextCursor } = this.cursors.page(identity, found, limit, ({ id }) => [id]);
    return { payments: items.map(toPaymentDetail), count: items.length, next_cursor: nextCursor };
  }
}
