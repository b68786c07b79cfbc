import { readFileSync } from 'node:fs';
import { isKeyScope } from '@haldir/http';
import { ROLES, scopesOf } from './roles.js';

describe('roles', () => {
  it('are what docs/people.md says', () => {
    const page = readFileSync(new URL('../../../docs/people.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| `([a-z]+)` +\| (`[^|]+`) +\|$/gm)].map(([, role, scopes = '']) => [
      role,
      [...scopes.matchAll(/`([^`]+)`/g)].map(([, scope]) => scope),
    ]);
    expect(told).toEqual(ROLES.map((role) => [role, scopesOf(role)]));
  });

  it('name scopes that there are', () => {
    expect(ROLES.flatMap(scopesOf).filter((scope) => !isKeyScope(scope))).toEqual([]);
  });
});
