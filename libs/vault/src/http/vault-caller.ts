import { keyPrefix } from '@haldir/gate';
import { type Caller } from '@haldir/http';
import { type VaultCaller } from '../index.js';

export function toVaultCaller({ tenantId, keyId }: Caller): VaultCaller {
  return { tenantId, key: keyPrefix(keyId) };
}
