/**
 * Views of the console that have an address, which the API serves. `VIEWS` of apps/console/src/views.ts is the same list, as a test holds:
 * what is served imports nothing of what is built for browsers.
 */
export const CONSOLE_VIEWS = [
  ...['approvals', 'audit', 'overview'],
  ...['upstreams', 'tools', 'policies', 'webhooks', 'deliveries', 'integrity', 'system'],
];
