import { Module } from '@nestjs/common';
import { VaultModule } from '../vault.module.js';
import { DeletedSecretController } from './deleted-secret.controller.js';
import { PaymentController } from './payment.controller.js';
import { SecretController } from './secret.controller.js';
import { SpendController } from './spend.controller.js';

@Module({
  imports: [VaultModule],
  controllers: [SecretController, DeletedSecretController, PaymentController, SpendController],
})
export class VaultHttpModule {}
