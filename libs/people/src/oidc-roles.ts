import { ConfigError, type OidcSettings } from '@haldir/runtime';
import { type Role, ROLES } from './roles.js';

/** What an issuer says of somebody, by the names of its claims. */
export type Claims = Readonly<Record<string, unknown>>;

/** Which role an issuer's claim gives: what whoever runs the installation has put into the map, and nothing else. */
export class OidcRoles {
  /** Of whoever nobody knows and no claim gives one; null: they are not let in. */
  readonly unknown: Role | null;
  private readonly claim: string | null;
  private readonly map: readonly (readonly [value: string, role: Role])[];

  /** @throws ConfigError for a role that there is not */
  constructor({ roleClaim, roles, unknownRole }: Pick<OidcSettings, 'roleClaim' | 'roles' | 'unknownRole'>) {
    this.claim = roleClaim;
    this.map = roles.map(([value, role]) => [value, checked(role, 'HALDIR_OIDC_ROLES', 'staff=auditor')] as const);
    this.unknown = unknownRole === null ? null : checked(unknownRole, 'HALDIR_OIDC_UNKNOWN_ROLE', 'auditor');
  }

  /** Whether the claims say anything of roles; those that do not are asked for elsewhere. */
  isTold(claims: Claims): boolean {
    return this.claim === null || Object.hasOwn(claims, this.claim);
  }

  /** The first role of the map that somebody has a value for, whether the claim is one text or a list; null for none. */
  roleOf(claims: Claims): Role | null {
    const said: unknown = this.claim !== null && Object.hasOwn(claims, this.claim) ? claims[this.claim] : null;
    const values: unknown[] = Array.isArray(said) ? said : [said];
    return this.map.find(([value]) => values.includes(value))?.[1] ?? null;
  }
}

function checked(text: string, setting: string, example: string): Role {
  const role = ROLES.find((each) => each === text);
  if (role === undefined)
    throw new ConfigError(`${setting} should name roles of ${ROLES.join(', ')}, for example ${setting}=${example}`);
  return role;
}
