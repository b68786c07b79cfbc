import { createECDH } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing } from '@haldir/crypto';

/** A key pair of P-256 in base64url: the point uncompressed, and the number. */
export interface VapidPair {
  publicKey: string;
  privateKey: string;
}

/**
 * By which push services know who sends (VAPID, RFC 8292): one for the installation, derived from its key, so that it is the same on every
 * process and after every rotation, and stands nowhere.
 */
@Injectable()
export class VapidKey {
  private derived: VapidPair | null = null;

  constructor(private readonly keyRing: KeyRing) {}

  get pair(): VapidPair {
    return (this.derived ??= this.derive());
  }

  private derive(): VapidPair {
    const curve = createECDH('prime256v1');
    const key = this.keyRing.derive('haldir.vapid.v1').export();
    // One in 2^32 numbers of 256 bits is none of the curve's: an installation that had it would be told here, and at its start.
    curve.setPrivateKey(key);
    return { publicKey: curve.getPublicKey('base64url'), privateKey: key.toString('base64url') };
  }
}
