import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { MessageRepository } from './message.repository.js';

/** Messages to the browsers of people: one for all that a person has. */
@Injectable()
export class PushMessageRepository extends MessageRepository {
  constructor(transactions: Transactions) {
    super(transactions, {
      table: 'push_message',
      choice: 'push_kinds',
      reachable:
        'EXISTS (SELECT FROM push_subscription s WHERE s.tenant_id = m.tenant_id AND s.person_id = m.person_id)',
    });
  }
}
