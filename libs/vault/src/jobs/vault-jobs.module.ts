import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { VaultModule } from '../vault.module.js';
import { PaymentExpiryProcessor } from './payment-expiry.processor.js';
import { SecretPurgeProcessor } from './secret-purge.processor.js';

@Module({
  imports: [VaultModule, QueueModule.for(queues.paymentExpiry, queues.secretPurge)],
  providers: [PaymentExpiryProcessor, SecretPurgeProcessor],
})
export class VaultJobsModule {}
