import { Body, Controller, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import {
  Answer,
  Answers,
  CurrentActor,
  Cursors,
  OpenToAgents,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { HoldService } from '../hold.service.js';
import { type NewPayment } from '../payment-decision.js';
import { PaymentService } from '../payment.service.js';
import {
  AuthorizePayment,
  CapturePayment,
  CapturePaymentBody,
  HoldPayment,
  ListPayments,
  PaymentDetail,
  PaymentList,
  PaymentResult,
  PaymentSettled,
  toNewPayment,
  toPaymentDetail,
  toPaymentResult,
  toPaymentSettled,
} from './payment.dto.js';

const PaymentIdPath = () =>
  ApiParam({ name: 'payment_id', description: 'authorization_id of the payment', schema: { type: 'string' } });

@ApiTags('vault')
@Controller('v1/payments')
export class PaymentController {
  constructor(
    private readonly payments: PaymentService,
    private readonly holds: HoldService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post('authorize')
  @RequiresScope('payments:write', { authorized: false })
  @OpenToAgents()
  @ApiOperation({
    operationId: 'authorizePayment',
    summary: 'Authorize a payment',
    description: "Authorize a payment against a session's spend budget. Denied if insufficient budget remains.",
  })
  @JsonBody(AuthorizePayment)
  @Returns(HttpStatus.OK, PaymentResult, 'Payment authorized')
  @Answers(HttpStatus.FORBIDDEN, PaymentResult, 'Payment denied (budget exceeded)')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  authorize(
    @CurrentActor() actor: Actor,
    @Body({ schema: AuthorizePayment }) body: AuthorizePayment,
    @Write() write: WriteRequest,
  ): Promise<PaymentResult> {
    return this.decide(toNewPayment(actor, body), write);
  }

  @Post('hold')
  @RequiresScope('payments:write', { authorized: false })
  @OpenToAgents()
  @ApiOperation({
    operationId: 'holdPayment',
    summary: 'Hold a payment',
    description:
      "Set an amount aside in a session's spend budget, to be captured in full or in part, or voided. Decided as a payment is; what is held counts as spent until it is settled or expires.",
  })
  @JsonBody(HoldPayment)
  @Returns(HttpStatus.OK, PaymentResult, 'Payment held')
  @Answers(HttpStatus.FORBIDDEN, PaymentResult, 'Payment denied')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  hold(
    @CurrentActor() actor: Actor,
    @Body({ schema: HoldPayment }) body: HoldPayment,
    @Write() write: WriteRequest,
  ): Promise<PaymentResult> {
    return this.decide(toNewPayment(actor, body), write);
  }

  @Get()
  @RequiresScope('payments:read')
  @ApiOperation({
    operationId: 'listPayments',
    summary: 'List payments',
    description: 'List payments, newest first, by session, agent and status. Denials are in the audit trail.',
  })
  @Returns(HttpStatus.OK, PaymentList, 'Payments')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListPayments }) query: ListPayments,
  ): Promise<PaymentList> {
    const { limit, cursor, session_id: sessionId, agent_id: agentId, status: state, since, until } = query;
    const times = { since: since?.getTime(), until: until?.getTime() };
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'payments', filters: { sessionId, agentId, state, ...times } },
      { limit, cursor },
      (count, before) => this.payments.list(tenantId, { sessionId, agentId, state, since, until }, count, before),
      ({ id }) => id,
    );
    const now = this.clock.now();
    return {
      payments: items.map((payment) => toPaymentDetail(payment, now)),
      count: items.length,
      next_cursor: nextCursor,
    };
  }

  @Get(':payment_id')
  @RequiresScope('payments:read')
  @PaymentIdPath()
  @ApiOperation({ operationId: 'getPayment', summary: 'Get a payment', description: 'What became of a payment.' })
  @Returns(HttpStatus.OK, PaymentDetail, 'Payment')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async get(@CurrentActor() { tenantId }: Actor, @Param('payment_id') paymentId: string): Promise<PaymentDetail> {
    return toPaymentDetail(await this.payments.get(tenantId, paymentId), this.clock.now());
  }

  @Post(':payment_id/capture')
  @RequiresScope('payments:write')
  @OpenToAgents()
  @PaymentIdPath()
  @ApiOperation({
    operationId: 'capturePayment',
    summary: 'Capture a hold',
    description: 'Spend what is held, in full or in part; the rest is free again. A hold is settled once.',
  })
  @JsonBody(CapturePayment, { required: false })
  @Returns(HttpStatus.OK, PaymentSettled, 'Payment captured')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  capture(
    @CurrentActor() actor: Actor,
    @Param('payment_id') paymentId: string,
    @Body({ schema: CapturePaymentBody }) { amount }: CapturePayment,
    @Write() write: WriteRequest,
  ): Promise<PaymentSettled> {
    return this.writes.run(write, async (tx) =>
      toPaymentSettled(await this.holds.capture(tx, actor, paymentId, amount ?? null)),
    );
  }

  @Post(':payment_id/void')
  @RequiresScope('payments:write')
  @OpenToAgents()
  @PaymentIdPath()
  @ApiOperation({ operationId: 'voidPayment', summary: 'Void a hold', description: 'Set free what is held.' })
  @Returns(HttpStatus.OK, PaymentSettled, 'Payment voided')
  @Refuses('Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  void(
    @CurrentActor() actor: Actor,
    @Param('payment_id') paymentId: string,
    @Write() write: WriteRequest,
  ): Promise<PaymentSettled> {
    return this.writes.run(write, async (tx) => toPaymentSettled(await this.holds.void(tx, actor, paymentId)));
  }

  private async decide(payment: NewPayment, write: WriteRequest): Promise<PaymentResult> {
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
}
