export { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
export { checkRootKeys } from './check-root-keys.js';
export { CryptoModule } from './crypto.module.js';
export { KeyRing, TenantKeyGone, type VersionedKey } from './key-ring.js';
export { countSealed, type KeyStatus, readKeyStatus } from './key-status.js';
export { RootKeyRotation, type RootRotationReport } from './root-key-rotation.js';
export { RootKeys } from './root-keys.js';
export { type SealedColumn } from './sealed-column.js';
export { EVERY_TENANT_SCOPE, type RotationReport, TenantKeyRotation } from './tenant-key-rotation.js';
