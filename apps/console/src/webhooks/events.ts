/** What a webhook can hear of, in words. */
export const EVENTS: Record<string, string> = {
  approval_requested: 'Something waits for a human',
  approval_outcome: 'How what was asked about ended',
  anomaly: 'An entry of the log was flagged',
  budget_threshold: 'A budget is nearly spent',
  budget_exhausted: 'A budget is spent',
  agent_frozen: 'An agent was frozen',
  agent_unfrozen: 'An agent was let go on',
  key_expiring: 'A key ends soon',
  webhook_disabled: 'A webhook was disabled',
};
