import { Injectable } from '@nestjs/common';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type Actor, Clock, InvalidInput, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { GrantSeal } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';
import { Unauthenticated } from '@haldir/http';
import { Passkey } from './passkey.entity.js';
import { CHALLENGE_MS, type OpenChallenge, PasskeyChallenges } from './passkey-challenges.js';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeyExists, PasskeyNotFound, PasskeyNotGood, TooManyPasskeys } from './people.errors.js';
import { PeopleRepository } from './people.repository.js';
import { PASSKEY_GRANT, passkeyGrant } from './person-grants.js';
import { RelyingParty } from './relying-party.js';
import { ALGORITHMS, type Attestation, type NamedAssertion, readAssertion, readAttestation } from './webauthn.js';

/** Of a person at a time. */
export const PASSKEYS_MAX = 20;

/** What a passkey of that person signed; whether it is there still, and the challenge was not taken before, is not known yet. */
export interface CheckedAssertion {
  tenantId: string;
  personId: string;
  passkeyId: string;
  counter: number;
  challenge: OpenChallenge;
}

@Injectable()
export class PasskeyService {
  constructor(
    private readonly passkeys: PasskeyRepository,
    private readonly people: PeopleRepository,
    private readonly challenges: PasskeyChallenges,
    private readonly relyingParty: RelyingParty,
    private readonly transactions: Transactions,
    private readonly seal: GrantSeal,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** What a browser makes a passkey by. @throws PasskeysNeedName */
  async enrolmentOptions({ tenantId, id: personId }: Actor): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const member = await this.transactions.run(tenantId, (tx) => this.people.in(tx).find(tenantId, personId));
    if (!member) throw new Unauthenticated();
    const had = await this.passkeys.list(tenantId, personId, PASSKEYS_MAX, null);
    return generateRegistrationOptions({
      rpName: 'Haldir',
      rpID: this.relyingParty.id,
      attestationType: 'none',
      timeout: CHALLENGE_MS,
      userName: member.person.email,
      userDisplayName: member.person.name || member.person.email,
      userID: new Uint8Array(Buffer.from(personId)),
      challenge: this.challenges.make({ for: 'enrolment', tenantId, personId }),
      excludeCredentials: had.map(({ credentialId }) => ({ id: credentialId.toString('base64url') })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
  }

  /**
   * @param origin of the page that sends it
   * @throws InvalidInput, PasskeyExists, TooManyPasskeys, PasskeysNeedName, PasskeysOfAnotherSite; Unauthenticated for who was removed meanwhile
   */
  async enrol(actor: Actor, attestation: Attestation, name: string, origin: string): Promise<Passkey> {
    const { tenantId, id: personId } = actor;
    const rpId = this.relyingParty.id;
    const made = await readAttestation(attestation, { origin, rpId }, (challenge) =>
      this.challenges.read(challenge, { for: 'enrolment', tenantId, personId }),
    );
    const notGood =
      'credential: expected what the browser made by the options that were answered last, within five minutes';
    if (!made) throw new InvalidInput(notGood);
    const { credentialId, publicKey, algorithm, counter, challenge } = made;
    return this.transactions.run(tenantId, async (tx) => {
      await this.people.in(tx).hold(tenantId);
      const member = await this.people.in(tx).find(tenantId, personId);
      if (!member || member.membership.removedAt !== null) throw new Unauthenticated();
      const passkeys = this.passkeys.in(tx);
      const now = this.clock.now();
      if (!(await passkeys.takeChallenge({ tenantId, ...challenge }))) throw new InvalidInput(notGood);
      if (await passkeys.findByCredential(tenantId, credentialId)) throw new PasskeyExists();
      if ((await passkeys.count(tenantId, personId)) >= PASSKEYS_MAX) throw new TooManyPasskeys(PASSKEYS_MAX);
      this.relyingParty.refuseOther(await passkeys.rpIds());
      const passkey = Object.assign(new Passkey(), {
        tenantId,
        id: newId('psk'),
        personId,
        credentialId,
        publicKey,
        algorithm,
        rpId,
        name,
        counter,
        createdAt: now,
        usedAt: null,
      });
      passkey.mac = this.seal.macOf(PASSKEY_GRANT, passkeyGrant(passkey));
      await passkeys.insert(passkey);
      // Enough to check, offline and later, what the passkey signs.
      this.record(tx, actor, 'passkey_enrolled', {
        ...named(passkey),
        public_key: publicKey.toString('base64url'),
        algorithm,
        rp_id: rpId,
      });
      return passkey;
    });
  }

  /** What a browser signs in by, with whatever passkey of the site the person chooses. @throws PasskeysNeedName */
  signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return generateAuthenticationOptions({
      rpID: this.relyingParty.id,
      userVerification: 'required',
      timeout: CHALLENGE_MS,
      challenge: this.challenges.make({ for: 'sign_in' }),
    });
  }

  /**
   * Whose passkey signed, and that it did. Anybody may ask, so nothing is held and nothing written; what may have changed meanwhile, `use` looks at.
   *
   * @param origin of the page that sends it
   * @throws PasskeyNotGood, PasskeysNeedName
   */
  async check(assertion: NamedAssertion, origin: string): Promise<CheckedAssertion> {
    const rpId = this.relyingParty.id;
    const passkey = await this.named(assertion);
    if (passkey?.rpId !== rpId) throw new PasskeyNotGood();
    // Whether it is intact comes first: nothing is known of a row that was edited, its key included.
    const { tenantId, id, personId, mac } = passkey;
    if (!this.seal.isIntact(PASSKEY_GRANT, passkeyGrant(passkey), { tenantId, id, mac })) throw new PasskeyNotGood();
    const answered = await readAssertion(assertion, passkey, { origin, rpId }, (challenge) =>
      this.challenges.read(challenge, { for: 'sign_in' }),
    );
    if (!answered) throw new PasskeyNotGood();
    return { tenantId, personId, passkeyId: id, ...answered };
  }

  /** Takes the challenge, of a passkey that is still there; the tenant's people are to be held. @throws PasskeyNotGood */
  async use(tx: Tx, { tenantId, passkeyId, counter, challenge }: CheckedAssertion): Promise<void> {
    const passkeys = this.passkeys.in(tx);
    if (!(await passkeys.markUsed(tenantId, passkeyId, counter, this.clock.now()))) throw new PasskeyNotGood();
    if (!(await passkeys.takeChallenge({ tenantId, ...challenge }))) throw new PasskeyNotGood();
  }

  list({ tenantId, id: personId }: Actor, limit: number, before: string | null): Promise<Passkey[]> {
    return this.passkeys.list(tenantId, personId, limit, before);
  }

  /** One's own. @throws PasskeyNotFound */
  async remove(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor.tenantId, async (tx) => {
      await this.people.in(tx).hold(actor.tenantId);
      const removed = await this.passkeys.in(tx).remove(actor.tenantId, actor.id, id);
      if (!removed) throw new PasskeyNotFound();
      this.record(tx, actor, 'passkey_removed', named(removed));
    });
  }

  private async named({ id, response: { userHandle } }: NamedAssertion): Promise<Passkey | null> {
    const personId = Buffer.from(userHandle, 'base64url').toString('latin1');
    if (!/^prs_[0-9a-z]{1,64}$/.test(personId)) return null;
    const credentialId = Buffer.from(id, 'base64url');
    const tenantId = await this.passkeys.tenantOf(credentialId, personId);
    if (tenantId === null) return null;
    const passkey = await this.transactions.run(tenantId, (tx) =>
      this.passkeys.in(tx).findByCredential(tenantId, credentialId),
    );
    return passkey?.personId === personId ? passkey : null;
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.people', action, details });
  }
}

function named({ id, credentialId }: Passkey): Record<string, unknown> {
  return { passkey_id: id, credential_id: credentialId.toString('base64url') };
}
