import { audiencesOf, defaultKindsOf, KINDS_OF_ROLES, NOTIFICATION_KINDS } from './notification-kinds.js';

it('tells whoever decides of what waits, and others of nothing unless they choose', () => {
  expect(['owner', 'approver', 'operator', 'auditor'].map((role) => defaultKindsOf(role as 'owner'))).toEqual([
    ...[
      ['approval_requested', 'own_approval_outcome'],
      ['approval_requested', 'own_approval_outcome'],
    ],
    ...[['own_approval_outcome'], []],
  ]);
});

it('lets every role choose what it may read', () => {
  expect(KINDS_OF_ROLES).toHaveLength(4 * NOTIFICATION_KINDS.length);
});

it('finds whom an event is for', () => {
  const kindsOf = (...event: Parameters<typeof audiencesOf>) => audiencesOf(...event).map(({ kind }) => kind);
  expect(kindsOf({ type: 'anomaly', data: { reason: 'high_cost: x' } })).toEqual(['anomaly']);
  expect(kindsOf({ type: 'anomaly', data: { reason: 'tool_drift: x' } })).toEqual(['tool_drift']);
  expect(audiencesOf({ type: 'budget_threshold', data: {} })).toEqual([{ kind: 'budget_threshold', personId: null }]);
  expect(audiencesOf({ type: 'webhook_test', data: {} })).toEqual([]);
  expect(audiencesOf({ type: 'approval_outcome', data: { decided_key: 'per_1' } })).toEqual([
    { kind: 'own_approval_outcome', personId: 'per_1' },
    { kind: 'approval_outcome', personId: null },
  ]);
  expect(kindsOf({ type: 'approval_outcome', data: { decided_key: null } })).toEqual(['approval_outcome']);
});
