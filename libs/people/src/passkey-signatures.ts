import { Injectable } from '@nestjs/common';
import { generateAuthenticationOptions, type PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { type Actor, Clock } from '@haldir/kernel';
import { GrantSeal } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type Passkey } from './passkey.entity.js';
import { PASSKEYS_MAX } from './passkey.service.js';
import { PasskeyRepository } from './passkey.repository.js';
import { NoPasskey } from './people.errors.js';
import { PASSKEY_GRANT, passkeyGrant } from './person-grants.js';
import { RelyingParty } from './relying-party.js';
import { type Assertion, readAssertion } from './webauthn.js';

/** What people sign with their passkeys, beside signing in. What it is, and that it is signed once, is for who asks. */
@Injectable()
export class PasskeySignatures {
  constructor(
    private readonly passkeys: PasskeyRepository,
    private readonly relyingParty: RelyingParty,
    private readonly seal: GrantSeal,
    private readonly clock: Clock,
  ) {}

  /**
   * What a browser has the person sign the challenge by, with a passkey of theirs.
   *
   * @throws NoPasskey, PasskeysNeedName
   */
  async options(
    { tenantId, id: personId }: Actor,
    challenge: () => Promise<Buffer>,
    seconds: number,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const rpID = this.relyingParty.id;
    const had = await this.passkeys.list(tenantId, personId, PASSKEYS_MAX, null);
    const there = had.filter(({ rpId }) => rpId === rpID);
    if (there.length === 0) throw new NoPasskey();
    return generateAuthenticationOptions({
      rpID,
      userVerification: 'required',
      timeout: seconds * 1000,
      challenge: new Uint8Array(await challenge()),
      allowCredentials: there.map(({ credentialId }) => ({ id: credentialId.toString('base64url') })),
    });
  }

  /**
   * The passkey of the person that signed exactly this, with somebody there who was verified, and notes that it was used; null
   * where none did. The row stays as it is until the transaction ends, so that whoever removes it comes after.
   *
   * @param origin of the page that sends it
   * @throws PasskeysNeedName
   */
  async verify(
    tx: Tx,
    { tenantId, id: personId }: Actor,
    assertion: Assertion,
    challenge: Buffer,
    origin: string,
  ): Promise<Passkey | null> {
    const passkeys = this.passkeys.in(tx);
    const rpId = this.relyingParty.id;
    const passkey = await passkeys.findByCredential(tenantId, Buffer.from(assertion.id, 'base64url'));
    if (passkey?.personId !== personId || passkey.rpId !== rpId) return null;
    const { id, mac } = passkey;
    if (!this.seal.isIntact(PASSKEY_GRANT, passkeyGrant(passkey), { tenantId, id, mac })) return null;
    const expected = challenge.toString('base64url');
    const answered = await readAssertion(assertion, passkey, { origin, rpId }, (text) => text === expected || null);
    if (!answered) return null;
    const isUsed = await passkeys.markUsed(tenantId, id, answered.counter, this.clock.now());
    return isUsed ? passkey : null;
  }
}
