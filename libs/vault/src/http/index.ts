export { VaultHttpModule } from './vault-http.module.js';
export { AuthorizePayment, PaymentResult, toNewPayment, toPaymentResult } from './payment.dto.js';
export { SecretRevealed, SecretStored, StoreSecret, toNewSecret, toSecretStored } from './secret.dto.js';
