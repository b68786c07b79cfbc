import { KeyRotation } from './key-rotation.entity.js';
import { RootKey } from './root-key.entity.js';
import { SystemKey } from './system-key.entity.js';
import { TenantKey } from './tenant-key.entity.js';

/** The entities of this lib, for a `DataSource` that no module makes. */
export const KEY_ENTITIES = [KeyRotation, RootKey, SystemKey, TenantKey];
