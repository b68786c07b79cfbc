import { ConfigError } from '@haldir/runtime';
import { OidcRoles } from './oidc-roles.js';

const rolesBy = (roleClaim: string | null, roles: [string, string][], unknownRole: string | null = null): OidcRoles =>
  new OidcRoles({ roleClaim, roles, unknownRole });

const roles = rolesBy('groups', [
  ['admins', 'owner'],
  ['ops', 'operator'],
  ['staff', 'auditor'],
]);

describe('a role by claim', () => {
  it.each([
    [{ groups: 'ops' }, 'operator'],
    [{ groups: ['ops'] }, 'operator'],
    [{ groups: ['staff', 'everybody', 'ops'] }, 'operator'],
    [{ groups: ['staff', 'admins'] }, 'owner'],
  ])('of %j is the first of the map, %s', (claims, role) => {
    expect(roles.roleOf(claims)).toBe(role);
  });

  it.each([
    [{}],
    [{ groups: [] }],
    [{ groups: 'owner' }],
    [{ groups: ['owner', 'operator', 'Ops', 'ops '] }],
    [{ groups: 'ops,staff' }],
    [{ groups: [['ops'], { ops: true }, 1, null] }],
    [{ groups: { ops: true } }],
    [{ groups: null }],
    [{ role: 'ops', roles: ['ops'] }],
  ])('of %j is none: what is not in the map gives nothing', (claims) => {
    expect(roles.roleOf(claims)).toBeNull();
  });

  it('is not read from what every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      const inherited = rolesBy(name, [['ops', 'operator']]);
      expect([inherited.isTold({}), inherited.roleOf({})]).toEqual([false, null]);
    }
    const own = JSON.parse('{"__proto__": "ops"}') as Record<string, unknown>;
    expect(rolesBy('__proto__', [['ops', 'operator']]).roleOf(own)).toBe('operator');
  });

  it('is none where no claim gives roles', () => {
    const none = rolesBy(null, []);
    expect([none.isTold({}), none.roleOf({ groups: 'ops' }), none.unknown]).toEqual([true, null, null]);
  });
});

it('a role that there is not stops the start with one line that names the setting', () => {
  const refusal = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    return 'accepted';
  };
  expect(refusal(() => rolesBy('groups', [['ops', 'superuser']]))).toMatch(/^HALDIR_OIDC_ROLES should.*for example/);
  expect(refusal(() => rolesBy('groups', [['ops', 'Owner']]))).toMatch(/^HALDIR_OIDC_ROLES should/);
  expect(refusal(() => rolesBy(null, [], 'guest'))).toMatch(/^HALDIR_OIDC_UNKNOWN_ROLE should.*for example/);
  expect(refusal(() => rolesBy(null, [], 'auditor'))).toBe('accepted');
});
