import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApprovalsModule } from '@haldir/approvals';
import { GateModule } from '@haldir/gate';
import { CallCharges } from './call-charges.js';
import { DeletedSecretRepository } from './deleted-secret.repository.js';
import { DeletedSecrets } from './deleted-secrets.js';
import { ExchangeRates } from './exchange-rates.js';
import { HoldService } from './hold.service.js';
import { PaymentTotal } from './payment-total.entity.js';
import { PaymentTotalRepository } from './payment-total.repository.js';
import { PaymentTotals } from './payment-totals.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentService } from './payment.service.js';
import { SecretOpener } from './secret-opener.js';
import { SecretUses } from './secret-uses.js';
import { SecretVersion } from './secret-version.entity.js';
import { Secret } from './secret.entity.js';
import { SecretRepository } from './secret.repository.js';
import { SecretService } from './secret.service.js';
import { ToldValueRepository } from './told-value.repository.js';
import { ToldValues } from './told-values.js';
import { UpstreamToldHead } from './upstream-told-head.entity.js';
import { UpstreamTold } from './upstream-told.entity.js';

const entities = [Payment, PaymentTotal, Secret, SecretVersion, UpstreamTold, UpstreamToldHead];

@Module({
  imports: [TypeOrmModule.forFeature(entities), ApprovalsModule, GateModule],
  providers: [
    CallCharges,
    DeletedSecretRepository,
    DeletedSecrets,
    ExchangeRates,
    HoldService,
    PaymentRepository,
    PaymentService,
    PaymentTotalRepository,
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
