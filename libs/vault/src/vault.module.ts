import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApprovalsModule } from '@haldir/approvals';
import { GateModule } from '@haldir/gate';
import { CallCharges } from './call-charges.js';
import { DeletedSecretRepository } from './deleted-secret.repository.js';
import { DeletedSecrets } from './deleted-secrets.js';
import { ExchangeRates } from './exchange-rates.js';
import { HoldService } from './hold.service.js';
import { PaymentTotals } from './payment-totals.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentService } from './payment.service.js';
import { SecretOpener } from './secret-opener.js';
import { SecretUses } from './secret-uses.js';
import { Secret } from './secret.entity.js';
import { SecretRepository } from './secret.repository.js';
import { SecretService } from './secret.service.js';
import { ToldValueRepository } from './told-value.repository.js';
import { ToldValues } from './told-values.js';

@Module({
  imports: [TypeOrmModule.forFeature([Payment, Secret]), ApprovalsModule, GateModule],
  providers: [
    CallCharges,
    DeletedSecretRepository,
    DeletedSecrets,
    ExchangeRates,
    HoldService,
    PaymentRepository,
    PaymentService,
    PaymentTotals,
    SecretOpener,
    SecretRepository,
    SecretService,
    SecretUses,
    ToldValueRepository,
    ToldValues,
  ],
  exports: [
    CallCharges,
    DeletedSecrets,
    HoldService,
    PaymentService,
    PaymentTotals,
    SecretService,
    SecretUses,
    ToldValues,
  ],
})
export class VaultModule {}
