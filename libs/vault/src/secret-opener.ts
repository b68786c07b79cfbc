import { Injectable } from '@nestjs/common';
import { KeyRing, keyVersionOf, SealBroken, TenantKeyGone } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { openSecret } from './secret-seal.js';
import { type SecretValue } from './secret-value.js';
import { SecretRepository, type StoredSecret } from './secret.repository.js';

/** Opens sealed values, also while keys change. Who may have them is decided before. */
@Injectable()
export class SecretOpener {
  constructor(
    private readonly secrets: SecretRepository,
    private readonly keys: KeyRing,
    private readonly log: Log,
  ) {}

  /**
   * Null, and a line in the log, when the value was altered or moved, or its scope, expiry or bindings changed, behind Haldir's
   * back.
   *
   * @param tx where the caller holds the row in a transaction
   * @throws Unavailable when the key of the secret is not there
   */
  async open(secret: StoredSecret, tx?: Tx): Promise<SecretValue | null> {
    const { tenantId, secretId, name, version } = secret.place;
    try {
      return await this.unseal(secret, tx).catch(async (error: unknown) => {
        // Since it was read it was sealed anew; who may have it was decided about the place as it was read.
        const isWorthIt = error instanceof TenantKeyGone && tx === undefined;
        const now = isWorthIt ? await this.secrets.findVersion(tenantId, name, version) : null;
        if (!now) throw error;
        return this.unseal({ ...now, place: secret.place }, tx);
      });
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.log.error({ event: 'vault.secret_does_not_open', tenant_id: tenantId, secret_id: secretId, version });
      return null;
    }
  }

  private async unseal({ place, sealed }: StoredSecret, tx?: Tx): Promise<SecretValue> {
    const tenantKey = await this.keys.tenantKey(place.tenantId, keyVersionOf(sealed.wrappedKey), tx);
    return openSecret(tenantKey, place, sealed);
  }
}
