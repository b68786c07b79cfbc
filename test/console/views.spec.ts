import { grantsKeyScope, KEY_SCOPES } from '@haldir/http';
import { CONSOLE_VIEWS } from '../../apps/api/src/platform/console-views.js';
import { may } from '../../apps/console/src/api/scopes.js';
import { groupsOf, VIEWS } from '../../apps/console/src/views.js';

it('every view of the console has an address that the API serves, and no other address is a view', () => {
  expect(VIEWS.map(({ path }) => path).sort()).toEqual(CONSOLE_VIEWS.map((view) => `/${view}`).sort());
});

it('a group of views stands together, and says what may be read', () => {
  const groups = groupsOf(() => true);
  expect(new Set(groups.map(({ group }) => group)).size).toBe(groups.length);
  expect(groups.flatMap(({ views }) => views)).toEqual(VIEWS);
  for (const { reads } of VIEWS) expect(KEY_SCOPES).toContain(reads);
});

it('whoever lacks the scope of a view is not shown it, nor a group of nothing', () => {
  const shown = groupsOf((scope) => scope === 'audit:read');
  expect(shown.flatMap(({ views }) => views.map(({ path }) => path))).toContain('/audit');
  expect(shown.flatMap(({ views }) => views).every(({ reads }) => reads === 'audit:read')).toBe(true);
  expect(groupsOf(() => false)).toEqual([]);
});

it('shows to whom what the API lets them', () => {
  const resources = ['*', 'proxy', 'admin', 'approvals', 'sessions'];
  const held = ['*', ...resources.flatMap((resource) => ['*', 'read', 'write', 'call', 'decide'].map((action) => `${resource}:${action}`))]; // prettier-ignore
  for (const scope of held)
    for (const required of KEY_SCOPES)
      expect([scope, required, may({ scopes: [scope] }, required)]).toEqual([
        ...[scope, required, grantsKeyScope([scope], required)],
      ]);
});
