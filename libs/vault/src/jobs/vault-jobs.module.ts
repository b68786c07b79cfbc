import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { VaultModule } from '../index.js';
import { PaymentExpiryProcessor } from './payment-expiry.processor.js';

@Module({ imports: [VaultModule, QueueModule.for(queues.paymentExpiry)], providers: [PaymentExpiryProcessor] })
export class VaultJobsModule {}
