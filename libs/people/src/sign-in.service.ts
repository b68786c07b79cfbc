import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput, newId, type Origin, personActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { GrantSeal } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';
import { Tenants } from '@haldir/gate';
import { type Caller, type PersonAuthenticator, Quota } from '@haldir/http';
import { InvitationRepository } from './invitation.repository.js';
import { PasskeyService } from './passkey.service.js';
import { OidcNotGood } from './oidc.errors.js';
import { LinkNotGood, PasskeyNotGood, SignInNotFound } from './people.errors.js';
import { type Member, PeopleRepository } from './people.repository.js';
import { PeopleService } from './people.service.js';
import {
  INVITATION_GRANT,
  invitationGrant,
  MEMBERSHIP_GRANT,
  membershipGrant,
  SIGN_IN_GRANT,
  signInGrant,
} from './person-grants.js';
import { scopesOf } from './roles.js';
import { hashToken, newSecretToken } from './secret-token.js';
import { SignIn, type SignInMethod } from './sign-in.entity.js';
import { type LiveSignIn, SignInRepository } from './sign-in.repository.js';
import { type NamedAssertion } from './webauthn.js';

export const SIGN_IN_SECONDS = 7 * 24 * 3600;
const IDLE_MS = 12 * 3600 * 1000;
/** When a sign-in was used is known to that. */
const USED_WITHIN_MS = 60_000;
/** Of a person at a time; the oldest makes room. */
const SIGN_INS_MAX = 50;

const NOT_GOOD = { link: LinkNotGood, passkey: PasskeyNotGood, oidc: OidcNotGood };

/** A browser just signed in; the tokens are shown once and never again. */
export interface NewSignIn {
  member: Member;
  /** For the cookie. */
  cookie: string;
  /** For the page to keep, and to send with each request. */
  pageToken: string;
  signIn: SignIn;
}

@Injectable()
export class SignInService implements PersonAuthenticator {
  constructor(
    private readonly signIns: SignInRepository,
    private readonly people: PeopleRepository,
    private readonly invitations: InvitationRepository,
    private readonly membership: PeopleService,
    private readonly passkeys: PasskeyService,
    private readonly tenants: Tenants,
    private readonly quota: Quota,
    private readonly transactions: Transactions,
    private readonly seal: GrantSeal,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  async authenticate(cookie: string, pageToken: string, isRequest: boolean): Promise<Caller | null> {
    const found = await this.signIns.findLive(hashToken(cookie));
    const now = this.clock.now();
    // Whether it is intact comes first: nothing is known of a row that was edited, its hashes included.
    if (!found || !this.isIntact(found) || !isLive(found.signIn, now)) return null;
    if (!timingSafeEqual(found.signIn.pageHash, hashToken(pageToken))) return null;
    const { signIn, email, role, tier, isOperator } = found;
    const { tenantId, id, personId } = signIn;
    if (isRequest && now.getTime() - signIn.usedAt.getTime() > USED_WITHIN_MS)
      await this.signIns.markUsed(tenantId, id, now);
    return {
      actor: personActor(tenantId, personId, email),
      session: null,
      keyId: id,
      tier,
      tenantTier: tier,
      isOperator,
      scopes: scopesOf(role),
    };
  }

  /**
   * Signs in by a link, once: of racing requests one is let in.
   *
   * @param who of the first owner of all, who was not known when the link was made
   * @throws LinkNotGood; InvalidInput when the link asks who they are and they do not say it, which leaves the link as it is
   */
  async byLink(token: string, who: { email: string | null; name: string }, origin: Origin): Promise<NewSignIn> {
    const hash = hashToken(token);
    const tenantId = await this.invitations.tenantOf(hash);
    if (tenantId === null) throw new LinkNotGood();
    return this.transactions.run(tenantId, async (tx) => {
      // Whether the first key is still to be had is decided once, whoever comes first.
      await this.tenants.hold(tx);
      await this.people.in(tx).hold(tenantId);
      const member = await this.invited(tx, tenantId, hash, who);
      return this.open(tx, member, 'link', origin);
    });
  }

  /**
   * Signs in whoever has a passkey.
   *
   * @param page the origin of the page that sends it
   * @throws PasskeyNotGood, PasskeysNeedName; QuotaExceeded, since it counts as any request of the person's
   */
  async byPasskey(assertion: NamedAssertion, page: string, origin: Origin): Promise<NewSignIn> {
    const checked = await this.passkeys.check(assertion, page);
    const { tenantId, personId } = checked;
    const { tier } = await this.transactions.run(tenantId, (tx) => this.people.in(tx).tenant(tenantId));
    await this.quota.take({ actor: { tenantId, id: personId }, tier, tenantTier: tier });
    return this.transactions.run(tenantId, async (tx) => {
      await this.people.in(tx).hold(tenantId);
      await this.passkeys.use(tx, checked);
      const member = await this.people.in(tx).find(tenantId, personId);
      if (!member || member.membership.removedAt !== null) throw new PasskeyNotGood();
      return this.open(tx, member, 'passkey', origin, { passkey_id: checked.passkeyId });
    });
  }

  find(tenantId: string, id: string): Promise<SignIn | null> {
    return this.signIns.find(tenantId, id);
  }

  list({ tenantId, id: personId }: Actor, limit: number, before: string | null): Promise<SignIn[]> {
    const now = this.clock.now();
    return this.signIns.list(tenantId, personId, idleSince(now), now, limit, before);
  }

  /** One's own, here or elsewhere. @throws SignInNotFound */
  async end(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor.tenantId, async (tx) => {
      if (!(await this.signIns.in(tx).end(actor.tenantId, actor.id, id))) throw new SignInNotFound();
      this.record(tx, actor, 'person_signed_out', { sign_in_id: id });
    });
  }

  /** The same of one that may have been ended. */
  async endIfThere(actor: Actor, id: string): Promise<void> {
    await this.end(actor, id).catch((error: unknown) => {
      if (!(error instanceof SignInNotFound)) throw error;
    });
  }

  async memberOf({ tenantId, id }: Actor): Promise<Member> {
    const member = await this.transactions.run(tenantId, (tx) => this.people.in(tx).find(tenantId, id));
    if (!member) throw new Error('whoever is signed in is a person of the tenant');
    return member;
  }

  private async invited(
    tx: Tx,
    tenantId: string,
    hash: Buffer,
    who: { email: string | null; name: string },
  ): Promise<Member> {
    const invitation = await this.invitations.in(tx).take(tenantId, hash);
    if (!invitation || invitation.expiresAt <= this.clock.now()) throw new LinkNotGood();
    const row = { tenantId, id: invitation.id, mac: invitation.mac };
    if (!this.seal.isIntact(INVITATION_GRANT, invitationGrant(invitation), row)) throw new LinkNotGood();
    const people = this.people.in(tx);
    if (invitation.personId !== null) {
      const member = await people.find(tenantId, invitation.personId);
      if (!member || member.membership.removedAt !== null) throw new LinkNotGood();
      return member;
    }
    if (await this.tenants.hasHad(tx, tenantId, 'person')) throw new LinkNotGood();
    const { email, name } = who;
    if (email === null) throw new InvalidInput('email: expected your e-mail address, as you are the first to sign in');
    const known = await people.findByEmail(tenantId, email);
    return this.membership.admit(tx, tenantId, { email, name, role: 'owner' }, known);
  }

  /**
   * Signs in somebody who has shown who they are; to be held.
   *
   * @param by what the log has of how they did, besides
   * @throws LinkNotGood, PasskeyNotGood, OidcNotGood for a row that was edited in the database
   */
  async open(
    tx: Tx,
    member: Member,
    method: SignInMethod,
    origin: Origin,
    by: Record<string, unknown> = {},
  ): Promise<NewSignIn> {
    const { tenantId, id: personId, email } = member.person;
    const now = this.clock.now();
    const facts = await this.people.in(tx).tenant(tenantId);
    const grant = membershipGrant(member.membership, email, facts);
    const row = { tenantId, id: personId, mac: member.membership.mac };
    if (!this.seal.isIntact(MEMBERSHIP_GRANT, grant, row)) throw new NOT_GOOD[method]();
    if (member.membership.signedInAt === null)
      await this.people.in(tx).saveMembership(Object.assign(member.membership, { signedInAt: now }));
    await this.tenants.shutDoor(tx, tenantId, 'person');
    // Other links for them are good no more.
    await this.invitations.in(tx).removeOf(tenantId, personId);
    const [cookie, pageToken] = [newSecretToken(), newSecretToken()];
    const signIn = Object.assign(new SignIn(), {
      tenantId,
      id: newId('sgn'),
      personId,
      hash: hashToken(cookie),
      pageHash: hashToken(pageToken),
      method,
      createdAt: now,
      usedAt: now,
      expiresAt: new Date(now.getTime() + SIGN_IN_SECONDS * 1000),
    });
    signIn.mac = this.seal.macOf(SIGN_IN_GRANT, signInGrant(signIn));
    const signIns = this.signIns.in(tx);
    await signIns.removeOldest(tenantId, personId, SIGN_INS_MAX - 1);
    await signIns.insert(signIn);
    const actor = { ...personActor(tenantId, personId, email), origin };
    this.record(tx, actor, 'person_signed_in', {
      sign_in_id: signIn.id,
      method,
      role: member.membership.role,
      ...by,
    });
    return { member, cookie, pageToken, signIn };
  }

  private isIntact({ signIn, email, role, membershipMac, tier, isOperator }: LiveSignIn): boolean {
    const { tenantId, id, personId, mac } = signIn;
    const grant = membershipGrant({ tenantId, personId, role }, email, { tier, isOperator });
    return (
      this.seal.isIntact(SIGN_IN_GRANT, signInGrant(signIn), { tenantId, id, mac }) &&
      this.seal.isIntact(MEMBERSHIP_GRANT, grant, { tenantId, id: personId, mac: membershipMac })
    );
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.people', action, details });
  }
}

function idleSince(now: Date): Date {
  return new Date(now.getTime() - IDLE_MS);
}

function isLive({ usedAt, expiresAt }: SignIn, now: Date): boolean {
  return usedAt > idleSince(now) && expiresAt > now;
}
