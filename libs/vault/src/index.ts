export { type Amount } from './exchange-rates.js';
export { PaymentTotals } from './payment-totals.js';
export { HoldService, type Settled } from './hold.service.js';
export { type Payment, PAYMENT_STATES } from './payment.entity.js';
export { type NewPayment, type PaymentDecision, PaymentService, type PreparedPayment } from './payment.service.js';
export { isSecretName } from './secret-name.js';
export { SecretValue } from './secret-value.js';
export { type NewSecret, SecretService, type VaultCaller } from './secret.service.js';
export { VaultModule } from './vault.module.js';
