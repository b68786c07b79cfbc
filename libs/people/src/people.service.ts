import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { GrantSeal } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { Tenants } from '@haldir/gate';
import { grantsKeyScope, KEY_SCOPES, MissingKeyScope, OwnPages, Unauthenticated } from '@haldir/http';
import { Invitation } from './invitation.entity.js';
import { InvitationRepository } from './invitation.repository.js';
import { Membership } from './membership.entity.js';
import { OidcIdentityRepository } from './oidc-identity.repository.js';
import {
  InsecureAddress,
  LastOwner,
  PersonAltered,
  PersonNotFound,
  RoleBeyondGrant,
  RoleDiffers,
  TooManyPeople,
} from './people.errors.js';
import { PasskeyRepository } from './passkey.repository.js';
import { type Member, PeopleRepository } from './people.repository.js';
import { Person } from './person.entity.js';
import { INVITATION_GRANT, invitationGrant, MEMBERSHIP_GRANT, membershipGrant } from './person-grants.js';
import { type Role, scopesOf } from './roles.js';
import { hashToken, newSecretToken } from './secret-token.js';
import { SignInRepository } from './sign-in.repository.js';

const LINK_MS = 24 * 3600 * 1000;
/** Of a tenant, removed ones included: their ids stand in its log. */
const PEOPLE_MAX = 10_000;

/** Who changes what people there are, and what they could do themselves; the operator at the command line could do anything. */
export interface Granter {
  actor: Actor;
  scopes: readonly string[];
}

export interface NewPerson {
  /** In lower case. */
  email: string;
  name: string;
  role: Role;
}

/** A link that signs in once; it is shown once and never again. */
export interface SignInLink {
  url: string;
  expiresAt: Date;
}

@Injectable()
export class PeopleService {
  constructor(
    private readonly people: PeopleRepository,
    private readonly invitations: InvitationRepository,
    private readonly signIns: SignInRepository,
    private readonly passkeys: PasskeyRepository,
    private readonly identities: OidcIdentityRepository,
    private readonly tenants: Tenants,
    private readonly seal: GrantSeal,
    private readonly auditLog: AuditLog,
    private readonly pages: OwnPages,
    private readonly clock: Clock,
  ) {}

  list(tenantId: string, limit: number, after: string | null): Promise<Member[]> {
    return this.people.list(tenantId, limit, after);
  }

  /**
   * Makes somebody a person of the tenant, unless they are, and a link that signs them in once; an earlier one is good no more.
   *
   * @throws RoleBeyondGrant, RoleDiffers, TooManyPeople, InsecureAddress
   */
  async invite(tx: Tx, granter: Granter, wanted: NewPerson): Promise<{ member: Member; link: SignInLink }> {
    const { tenantId } = granter.actor;
    const people = this.people.in(tx);
    const by = await this.holding(tx, granter);
    refuseBeyond(by, wanted.role);
    const known = await people.findByEmail(tenantId, wanted.email);
    const isThere = known && known.membership.removedAt === null && known.membership.signedInAt !== null;
    if (known) await this.refuseAltered(tx, known);
    if (isThere && known.membership.role !== wanted.role) throw new RoleDiffers();
    // Whoever has not come yet gives nothing away by another role, but it takes as much to take the one they have.
    if (known && known.membership.removedAt === null) refuseBeyond(by, known.membership.role);
    const member = isThere ? known : await this.admit(tx, tenantId, wanted, known);
    const link = await this.link(tx, tenantId, member.person.id);
    // Whoever has a link for somebody who is there can come as them.
    this.record(tx, by.actor, isThere ? 'person_link_made' : 'person_invited', {
      person_id: member.person.id,
      email: wanted.email,
      role: wanted.role,
      expires_at: link.expiresAt.toISOString(),
    });
    return { member, link };
  }

  /**
   * A link for the first owner of the operator's tenant, who says who they are when they come; null once anybody has signed in. An
   * earlier one is good no more.
   *
   * @param beforeKey whether there is none either once the tenant had its first key
   * @throws InsecureAddress
   */
  async inviteFirst(tx: Tx, actor: Actor, beforeKey: boolean): Promise<SignInLink | null> {
    const { tenantId } = actor;
    await this.people.in(tx).hold(tenantId);
    if (await this.tenants.hasHad(tx, tenantId, 'person')) return null;
    if (beforeKey && (await this.tenants.hasHad(tx, tenantId, 'key'))) {
      await this.invitations.in(tx).removeOf(tenantId, null);
      return null;
    }
    const link = await this.link(tx, tenantId, null);
    this.record(tx, actor, 'first_owner_invited', { expires_at: link.expiresAt.toISOString() });
    return link;
  }

  /** Makes somebody a person of the tenant: anew, or again. To be held. */
  async admit(tx: Tx, tenantId: string, { email, name, role }: NewPerson, known: Member | null): Promise<Member> {
    const people = this.people.in(tx);
    const now = this.clock.now();
    if (known) {
      await this.refuseAltered(tx, known);
      const { removedAt, createdAt } = known.membership;
      const again = { role, removedAt: null, createdAt: removedAt === null ? createdAt : now, signedInAt: null };
      const membership = await this.sealed(tx, Object.assign(known.membership, again), email);
      await people.saveMembership(membership);
      // Whoever was removed has none, whatever process removed them, and is found by an issuer anew.
      if (removedAt !== null) await this.removeMeans(tx, tenantId, known.person.id);
      if (name !== '') await people.rename(tenantId, known.person.id, name);
      return { person: Object.assign(known.person, name === '' ? {} : { name }), membership };
    }
    if ((await people.count(tenantId)) >= PEOPLE_MAX) throw new TooManyPeople(PEOPLE_MAX);
    const person = Object.assign(new Person(), { tenantId, id: newId('prs'), email, name, createdAt: now });
    const unsealed = { tenantId, personId: person.id, role, createdAt: now, signedInAt: null, removedAt: null };
    const membership = await this.sealed(tx, Object.assign(new Membership(), unsealed), email);
    await people.insert({ person, membership });
    return { person, membership };
  }

  /** Holds from the person's next request on. @throws PersonNotFound, RoleBeyondGrant, LastOwner, PersonAltered */
  async changeRole(tx: Tx, granter: Granter, personId: string, role: Role): Promise<Member> {
    const by = await this.holding(tx, granter);
    const { person, membership } = await this.held(tx, by, personId);
    refuseBeyond(by, role);
    await this.refuseAltered(tx, { person, membership });
    const before = membership.role;
    if (role === before) return { person, membership };
    if (role !== 'owner') await this.keepAnOwner(tx, membership);
    await this.people.in(tx).saveMembership(await this.sealed(tx, Object.assign(membership, { role }), person.email));
    this.record(tx, by.actor, 'person_role_changed', { person_id: personId, email: person.email, role, before });
    return { person, membership };
  }

  /**
   * Gives the role that an issuer's claim, or the setting for unknown people, stands for, by whoever runs the installation, who could give
   * any. To be held.
   *
   * @throws PersonAltered
   */
  async applyRole(tx: Tx, { person, membership }: Member, role: Role, by: 'claim' | 'setting'): Promise<void> {
    const { role: before, tenantId } = membership;
    if (role === before) return;
    await this.refuseAltered(tx, { person, membership });
    await this.people.in(tx).saveMembership(await this.sealed(tx, Object.assign(membership, { role }), person.email));
    const changed = { person_id: person.id, email: person.email, role, before, by };
    this.record(tx, haldirActor(tenantId), 'person_role_changed', changed);
  }

  /**
   * Ends all that somebody is signed in with, and by, who has no role any more: it came by a claim, which is gone. They stay a person, and
   * come back with a claim. To be held.
   */
  async endMeans(tx: Tx, { person: { tenantId, id, email } }: Member): Promise<void> {
    await this.signIns.in(tx).endAll(tenantId, id);
    await this.passkeys.in(tx).removeAll(tenantId, id);
    this.record(tx, haldirActor(tenantId), 'person_claim_lost', { person_id: id, email });
  }

  /** Whether the tenant would have no owner without them; whoever comes right now has come. */
  async isLastOwner(tx: Tx, { tenantId, role, signedInAt }: Membership): Promise<boolean> {
    if (role !== 'owner') return false;
    return (await this.people.in(tx).countOwners(tenantId)) <= (signedInAt === null ? 0 : 1);
  }

  /** Ends everything of theirs at once. @throws PersonNotFound, RoleBeyondGrant, LastOwner */
  async remove(tx: Tx, granter: Granter, personId: string): Promise<void> {
    const by = await this.holding(tx, granter);
    const { tenantId } = by.actor;
    const { person, membership } = await this.held(tx, by, personId);
    await this.keepAnOwner(tx, membership);
    const neverCame = membership.signedInAt === null && membership.createdAt.getTime() === person.createdAt.getTime();
    if (neverCame) await this.people.in(tx).forget(person);
    else await this.people.in(tx).saveMembership(Object.assign(membership, { removedAt: this.clock.now() }));
    await this.invitations.in(tx).removeOf(tenantId, personId);
    await this.signIns.in(tx).endAll(tenantId, personId);
    // Who they are to an issuer is kept: with another address there they would be somebody new here.
    await this.passkeys.in(tx).removeAll(tenantId, personId);
    this.record(tx, by.actor, 'person_removed', { person_id: personId, email: person.email, role: membership.role });
  }

  /**
   * Nobody else changes the tenant's people until the transaction ends. Who changes them is looked at anew: somebody may have been
   * given another role, or removed, while the request was on its way.
   *
   * @throws Unauthenticated, MissingKeyScope
   */
  private async holding(tx: Tx, by: Granter): Promise<Granter> {
    const { tenantId, id, kind } = by.actor;
    await this.people.in(tx).hold(tenantId);
    if (kind !== 'person') return by;
    const member = await this.people.in(tx).find(tenantId, id);
    if (!member || member.membership.removedAt !== null) throw new Unauthenticated();
    await this.refuseAltered(tx, member);
    const scopes = scopesOf(member.membership.role);
    if (!grantsKeyScope(scopes, 'admin:write')) throw new MissingKeyScope('admin:write', {}, 'Your role');
    return { ...by, scopes };
  }

  /** What was edited in the database is not sealed anew. @throws PersonAltered */
  private async refuseAltered(tx: Tx, { person, membership }: Member): Promise<void> {
    const { tenantId, id, email } = person;
    const grant = membershipGrant(membership, email, await this.people.in(tx).tenant(tenantId));
    if (!this.seal.isIntact(MEMBERSHIP_GRANT, grant, { tenantId, id, mac: membership.mac })) throw new PersonAltered();
  }

  private async held(tx: Tx, by: Granter, personId: string): Promise<Member> {
    const { tenantId } = by.actor;
    const member = await this.people.in(tx).find(tenantId, personId);
    if (!member || member.membership.removedAt !== null) throw new PersonNotFound();
    refuseBeyond(by, member.membership.role);
    return member;
  }

  private async keepAnOwner(tx: Tx, membership: Membership): Promise<void> {
    // One who never came is no owner yet.
    if (membership.signedInAt !== null && (await this.isLastOwner(tx, membership))) throw new LastOwner();
  }

  /** What they sign in with. */
  private async removeMeans(tx: Tx, tenantId: string, personId: string): Promise<void> {
    await this.passkeys.in(tx).removeAll(tenantId, personId);
    await this.identities.in(tx).removeAll(tenantId, personId);
  }

  private async sealed(tx: Tx, membership: Membership, email: string): Promise<Membership> {
    const facts = await this.people.in(tx).tenant(membership.tenantId);
    membership.mac = this.seal.macOf(MEMBERSHIP_GRANT, membershipGrant(membership, email, facts));
    return membership;
  }

  private async link(tx: Tx, tenantId: string, personId: string | null): Promise<SignInLink> {
    const token = newSecretToken();
    const url = this.pages.addressOf(`/welcome#${token}`);
    if (url === null) throw new InsecureAddress();
    await this.invitations.in(tx).removeOf(tenantId, personId);
    const expiresAt = new Date(this.clock.now().getTime() + LINK_MS);
    const invitation = { tenantId, id: newId('inv'), personId, hash: hashToken(token), expiresAt };
    const mac = this.seal.macOf(INVITATION_GRANT, invitationGrant(invitation));
    await this.invitations.in(tx).insert(Object.assign(new Invitation(), invitation, { mac }));
    return { url, expiresAt };
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.people', action, details });
  }
}

/** As of keys: nobody gives what they have not. @throws RoleBeyondGrant */
function refuseBeyond({ scopes }: Granter, role: Role): void {
  const wanted = scopesOf(role);
  if (KEY_SCOPES.some((scope) => grantsKeyScope(wanted, scope) && !grantsKeyScope(scopes, scope)))
    throw new RoleBeyondGrant();
}
