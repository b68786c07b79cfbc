import { hash, timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Origin } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { Tenants } from '@haldir/gate';
import { OwnPages, Quota } from '@haldir/http';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { OidcNotGood, OidcNotInvited } from './oidc.errors.js';
import { type OidcFlow, OidcFlows } from './oidc-flows.js';
import { OidcIdentityRepository } from './oidc-identity.repository.js';
import { type OidcAnswer, OidcIssuer, type OidcUser } from './oidc-issuer.js';
import { OidcPeople } from './oidc-people.js';
import { PasskeyRepository } from './passkey.repository.js';
import { InsecureAddress } from './people.errors.js';
import { PeopleRepository } from './people.repository.js';
import { type NewSignIn, SignInService } from './sign-in.service.js';

/** Where the issuer sends browsers back to. */
const CALLBACK = '/v1/sign-in/oidc/callback';

/** Signs people in by the issuer of the settings. */
@Injectable()
export class OidcSignInService implements OnModuleInit {
  private readonly tenantId: string | null;
  private readonly isSetUp: boolean;

  constructor(
    { oidc }: HaldirConfig,
    private readonly issuer: OidcIssuer,
    private readonly flows: OidcFlows,
    private readonly oidcPeople: OidcPeople,
    private readonly identities: OidcIdentityRepository,
    private readonly people: PeopleRepository,
    private readonly challenges: PasskeyRepository,
    private readonly signIns: SignInService,
    private readonly tenants: Tenants,
    private readonly quota: Quota,
    private readonly transactions: Transactions,
    private readonly pages: OwnPages,
  ) {
    this.isSetUp = oidc !== null;
    this.tenantId = oidc?.tenantId ?? null;
  }

  /** Nobody finds out by signing in. The issuer itself may be away. @throws ConfigError */
  async onModuleInit(): Promise<void> {
    if (this.isSetUp && this.pages.addressOf(CALLBACK) === null)
      throw new ConfigError(
        'HALDIR_PUBLIC_URL should be the https address of Haldir where people sign in by HALDIR_OIDC_ISSUER, for example HALDIR_PUBLIC_URL=https://haldir.example.com',
      );
    if (this.tenantId !== null && !(await this.identities.hasTenant(this.tenantId)))
      throw new ConfigError(
        'HALDIR_OIDC_TENANT should be the id of a tenant that there is, or be left out for that of the operator, for example HALDIR_OIDC_TENANT=tnt_01m8a0m4n3b5ycxwwx2pxamrk6',
      );
  }

  /** As people know the issuer; null where none is set. */
  get name(): string | null {
    return this.issuer.name;
  }

  /**
   * @param page SHA-256 of what the page keeps, in base64url
   * @param returnTo a path of Haldir's own
   * @returns where the browser goes, and what it keeps meanwhile
   * @throws OidcNotSetUp, OidcAway
   */
  async begin(page: string, returnTo: string): Promise<{ url: string; kept: string }> {
    const flow = this.flows.begin(page, returnTo);
    return { url: await this.issuer.addressOf(flow, this.callback), kept: this.flows.seal(flow) };
  }

  /**
   * Signs in whoever comes back from the issuer, once.
   *
   * @param kept what the browser was given to keep
   * @param pageSecret what the page kept
   * @throws OidcNotSetUp, OidcNotGood, OidcDeclined, OidcAway; QuotaExceeded, since it counts as any request of the person's; what
   *   `OidcPeople.find` throws
   */
  async finish(
    kept: string | null,
    pageSecret: string,
    answer: OidcAnswer,
    origin: Origin,
  ): Promise<{ signedIn: NewSignIn; returnTo: string }> {
    const flow = kept === null ? null : this.flows.open(kept);
    if (!flow || !isSame(flow.state, answer.state) || !isSame(flow.page, hash('sha256', pageSecret, 'base64url')))
      throw new OidcNotGood();
    const user = await this.issuer.userOf(flow, answer, this.callback);
    await this.count(user);
    return { signedIn: await this.signIn(flow, user, origin), returnTo: flow.returnTo };
  }

  private async signIn({ state, expiresAt }: OidcFlow, user: OidcUser, origin: Origin): Promise<NewSignIn> {
    const signedIn = await this.transactions.run(this.tenantId ?? [], async (tx) => {
      // Whether the first key is still to be had is decided once, whoever comes first.
      await this.tenants.hold(tx);
      const tenantId = this.tenantId ?? (await this.tenants.operators(tx)).tenantId;
      await this.people.in(tx).hold(tenantId);
      const taken = { tenantId, hash: hash('sha256', state, 'buffer'), expiresAt };
      if (!(await this.challenges.in(tx).takeChallenge(taken))) throw new OidcNotGood();
      const found = await this.oidcPeople.find(tx, tenantId, user, origin);
      return found instanceof OidcNotInvited ? found : this.signIns.open(tx, found.member, 'oidc', origin, found.by);
    });
    if (signedIn instanceof OidcNotInvited) throw signedIn;
    return signedIn;
  }

  /** Whoever comes first is nobody yet, of whom nothing is counted. @throws QuotaExceeded */
  private async count(user: OidcUser): Promise<void> {
    const tenantId = this.tenantId ?? (await this.identities.operatorsTenant());
    if (tenantId === null) return;
    const found = await this.transactions.run(tenantId, async (tx) => {
      const identity = await this.oidcPeople.known(tx, tenantId, user);
      return identity && { id: identity.personId, ...(await this.people.in(tx).tenant(tenantId)) };
    });
    if (found) await this.quota.take({ actor: { tenantId, id: found.id }, tier: found.tier, tenantTier: found.tier });
  }

  private get callback(): string {
    const address = this.pages.addressOf(CALLBACK);
    if (address === null) throw new InsecureAddress();
    return address;
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => hash('sha256', text, 'buffer'));
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
