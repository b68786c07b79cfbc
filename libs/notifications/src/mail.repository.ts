import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { MessageRepository } from './message.repository.js';

/** E-mails. */
@Injectable()
export class MailRepository extends MessageRepository {
  constructor(transactions: Transactions) {
    super(transactions, { table: 'mail', choice: 'kinds', reachable: 'true' });
  }
}
