import { defaultKindsOf, KINDS_OF_ROLES, kindOf, NOTIFICATION_KINDS } from './notification-kinds.js';

it('tells whoever decides of what waits, and others of nothing unless they choose', () => {
  expect(['owner', 'approver', 'operator', 'auditor'].map((role) => defaultKindsOf(role as 'owner'))).toEqual([
    ...[['approval_requested'], ['approval_requested'], [], []],
  ]);
});

it('lets every role choose what it may read', () => {
  expect(KINDS_OF_ROLES).toHaveLength(4 * NOTIFICATION_KINDS.length);
});

it('finds the kind of an event', () => {
  expect(kindOf({ type: 'anomaly', data: { reason: 'high_cost: x' } })).toBe('anomaly');
  expect(kindOf({ type: 'anomaly', data: { reason: 'tool_drift: x' } })).toBe('tool_drift');
  expect(kindOf({ type: 'budget_threshold', data: {} })).toBe('budget_threshold');
  expect(kindOf({ type: 'webhook_test', data: {} })).toBeNull();
});
