export { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
export { checkRootKeys } from './check-root-keys.js';
export { CryptoModule } from './crypto.module.js';
export { KeyRing, TenantKeyGone, type VersionedKey } from './key-ring.js';
