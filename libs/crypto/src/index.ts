export { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
export { CryptoModule } from './crypto.module.js';
export { KeyRing, type VersionedKey } from './key-ring.js';
