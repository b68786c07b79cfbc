// What the console has of its own, as it imports nothing of libs, is what they have.
import { KEY_SCOPES } from '@haldir/http';
import * as keys from '../../apps/console/src/keys/scopes.js';
import * as people from '../../apps/console/src/people/roles.js';
import { ROLES, scopesOf } from '@haldir/people';

it('a key can be given every scope that there is', () => {
  expect(keys.KEY_SCOPES).toEqual(KEY_SCOPES);
});

it('roles are names for the scopes that they are', () => {
  expect(Object.keys(people.ROLES)).toEqual(ROLES);
  for (const role of ROLES) expect([role, people.ROLES[role].scopes]).toEqual([role, scopesOf(role)]);
});
