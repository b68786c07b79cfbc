export { type CallCharge, CallCharges, type ChargeDenial } from './call-charge.service.js';
export { type DeletedSecret } from './deleted-secret.repository.js';
export { DeletedSecrets } from './deleted-secret.service.js';
export { type Amount } from './exchange-rates.js';
export { PaymentTotals } from './payment-totals.js';
export { HoldService, type Settled } from './hold.service.js';
export { type Payment, PAYMENT_STATES } from './payment.entity.js';
export { type NewPayment, type PaymentDecision, PaymentService, type PreparedPayment } from './payment.service.js';
export { type Bindings, EVERY_TOOL, fromBindings, toBindings } from './secret-binding.js';
export { isSecretName } from './secret-name.js';
export { SEALED_DATA_KEYS } from './secret-seal.js';
export { type SecretUse, SecretUses, type UsedSecret, type UseRefusal } from './secret-use.service.js';
export { SecretValue } from './secret-value.js';
export { type SecretVersion } from './secret.repository.js';
export {
  type MadeVersion,
  type NewSecret,
  type OpenedSecret,
  SecretService,
  type VaultCaller,
} from './secret.service.js';
export { SecretVersionNotFound } from './vault.errors.js';
export { VaultModule } from './vault.module.js';
