import { Injectable } from '@nestjs/common';
import { PaymentService } from '@haldir/vault';
import { AuthorizePayment, PaymentResult, toNewPayment, toPaymentResult } from '@haldir/vault/http';
import { ownTool, type OwnTools } from './own-tool.js';

@Injectable()
export class PaymentTools implements OwnTools {
  constructor(private readonly payments: PaymentService) {}

  readonly tools = [
    ownTool({
      name: 'authorizePayment',
      title: 'Authorize a payment',
      description:
        "Ask whether a payment may be made, and take it from the session's budget if so. A denial says why; one that waits for approval names the request to poll with checkApproval.",
      audience: ['agent', 'operator'],
      scopes: ['payments:write'],
      openToAgents: true,
      readOnly: false,
      input: AuthorizePayment,
      output: PaymentResult,
      run: async (args, { caller, isIdempotent, write }) => {
        const payment = toNewPayment(caller.actor, args);
        const prepared = await this.payments.prepare(payment);
        return isIdempotent
          ? write(async (tx) => toPaymentResult(payment, await this.payments.authorizeIn(tx, prepared)))
          : toPaymentResult(payment, await this.payments.authorize(prepared));
      },
    }),
  ];
}
