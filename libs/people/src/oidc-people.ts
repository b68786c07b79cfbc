import { Injectable } from '@nestjs/common';
import { type Actor, Clock, type Origin, personActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { GrantSeal } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { Tenants } from '@haldir/gate';
import { EmailNotVerified, EmailOfAnother, OidcNotGood, OidcNotInvited } from './oidc.errors.js';
import { OidcIdentity } from './oidc-identity.entity.js';
import { OidcIdentityRepository } from './oidc-identity.repository.js';
import { OidcIssuer, type OidcUser } from './oidc-issuer.js';
import { type Member, PeopleRepository } from './people.repository.js';
import { PeopleService } from './people.service.js';
import { OIDC_IDENTITY_GRANT, oidcIdentityGrant } from './person-grants.js';
import { type Role } from './roles.js';

/** Somebody, and what the log has of their sign-in besides. */
interface Found {
  member: Member;
  by: Record<string, unknown>;
}

/** Who somebody whom an issuer signed in is to a tenant. */
@Injectable()
export class OidcPeople {
  constructor(
    private readonly identities: OidcIdentityRepository,
    private readonly people: PeopleRepository,
    private readonly membership: PeopleService,
    private readonly issuer: OidcIssuer,
    private readonly tenants: Tenants,
    private readonly seal: GrantSeal,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Whom they were found to be before; null for who has not been here. @throws OidcNotGood for a row that was edited */
  async known(tx: Tx, tenantId: string, { issuer, subject }: OidcUser): Promise<OidcIdentity | null> {
    const identity = await this.identities.in(tx).find(tenantId, issuer, subject);
    if (!identity) return null;
    const row = { tenantId, id: identity.personId, mac: identity.mac };
    if (!this.seal.isIntact(OIDC_IDENTITY_GRANT, oidcIdentityGrant(identity), row)) throw new OidcNotGood();
    return identity;
  }

  /**
   * Who they are, in the role that they have now: the person that they were found to be when they came first, by an address that the
   * issuer says is theirs. To be held.
   *
   * @returns a refusal of who had a role by a claim alone, and has none any more: what they are signed in with ends with the transaction
   * @throws OidcNotInvited, EmailNotVerified, EmailOfAnother, OidcNotGood, TooManyPeople, PersonAltered
   */
  async find(tx: Tx, tenantId: string, user: OidcUser, origin: Origin): Promise<Found | OidcNotInvited> {
    const known = await this.known(tx, tenantId, user);
    const { member, identity } = known
      ? { identity: known, member: await this.people.in(tx).find(tenantId, known.personId) }
      : await this.come(tx, tenantId, user, origin);
    if (!member || member.membership.removedAt !== null) throw new OidcNotInvited();
    const kept = await this.applyRole(tx, member, identity, user.role);
    return kept instanceof OidcNotInvited ? kept : { member, by: { issuer: user.issuer, ...kept } };
  }

  /** Whoever has not been here: somebody who was invited, or whom a claim or the settings let in. */
  private async come(
    tx: Tx,
    tenantId: string,
    user: OidcUser,
    origin: Origin,
  ): Promise<{ member: Member; identity: OidcIdentity }> {
    const { email, name, role, issuer } = user;
    if (email === null) throw new EmailNotVerified();
    const found = await this.people.in(tx).findByEmail(tenantId, email);
    // Whoever was removed comes back when they are invited, and not by themselves.
    if (found && found.membership.removedAt !== null) throw new OidcNotInvited();
    if (found && (await this.identities.in(tx).has(tenantId, issuer, found.person.id))) throw new EmailOfAnother();
    if (found) return { member: found, identity: await this.bind(tx, found, user, null, origin) };
    const given = role ?? this.issuer.roles?.unknown ?? null;
    if (given === null) throw new OidcNotInvited();
    // With them, the link of the first owner and the door of the first key are shut.
    if (given !== 'owner' && !(await this.hasBegun(tx, tenantId))) throw new OidcNotInvited();
    const member = await this.membership.admit(tx, tenantId, { email, name, role: given }, null);
    const admitted = { person_id: member.person.id, email, role: given, by: role === null ? 'setting' : 'claim' };
    this.record(tx, { ...personActor(tenantId, member.person.id, email), origin }, 'person_admitted', admitted);
    return { member, identity: await this.bind(tx, member, user, role, origin) };
  }

  private async bind(
    tx: Tx,
    { person }: Member,
    { issuer, subject }: OidcUser,
    claimedRole: Role | null,
    origin: Origin,
  ): Promise<OidcIdentity> {
    const { tenantId, id: personId, email } = person;
    const unsealed = { tenantId, issuer, subject, personId, claimedRole, createdAt: this.clock.now() };
    const identity = this.sealed(Object.assign(new OidcIdentity(), unsealed));
    await this.identities.in(tx).insert(identity);
    const actor = { ...personActor(tenantId, personId, email), origin };
    this.record(tx, actor, 'person_identity_bound', { person_id: personId, email, issuer, subject });
    return identity;
  }

  /** Whether the tenant has had a key, or a person who came: before that, nobody could let others in. */
  private async hasBegun(tx: Tx, tenantId: string): Promise<boolean> {
    for (const kind of ['key', 'person'] as const) if (await this.tenants.hasHad(tx, tenantId, kind)) return true;
    return false;
  }

  /** The role that the claim gives; without one, that which they have, unless a claim alone gave it to them. The last owner stays one. */
  private async applyRole(
    tx: Tx,
    member: Member,
    identity: OidcIdentity,
    claimed: Role | null,
  ): Promise<object | OidcNotInvited> {
    const { role } = member.membership;
    const isByClaim = identity.claimedRole === role;
    const wanted = claimed ?? (isByClaim ? (this.issuer.roles?.unknown ?? null) : role);
    if (wanted !== 'owner' && (await this.membership.isLastOwner(tx, member.membership)))
      return { claimed_role: wanted, kept: 'last_owner' };
    if (wanted === null) {
      await this.membership.endMeans(tx, member);
      return new OidcNotInvited();
    }
    await this.membership.applyRole(tx, member, wanted, claimed === null ? 'setting' : 'claim');
    const claimedRole = wanted === role ? (isByClaim ? claimed : identity.claimedRole) : claimed;
    if (claimedRole !== identity.claimedRole)
      await this.identities.in(tx).update(this.sealed(Object.assign(identity, { claimedRole })));
    return {};
  }

  private sealed(identity: OidcIdentity): OidcIdentity {
    identity.mac = this.seal.macOf(OIDC_IDENTITY_GRANT, oidcIdentityGrant(identity));
    return identity;
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.people', action, details });
  }
}
