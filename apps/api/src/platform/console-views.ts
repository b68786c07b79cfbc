/**
 * Views of the console that have an address, which the API serves. `VIEWS` of apps/console/src/views.ts is the same list, as a test holds:
 * what is served imports nothing of what is built for browsers.
 */
export const CONSOLE_VIEWS = [
  ...['approvals', 'grants', 'overview', 'audit', 'flags', 'sessions', 'agents', 'spend', 'budgets', 'secrets'],
  ...['upstreams', 'tools', 'policies', 'webhooks', 'deliveries', 'keys', 'people', 'integrity', 'system'],
];
