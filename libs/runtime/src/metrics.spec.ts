import { Metrics } from './metrics.js';

describe('what policies in log_only would have done', () => {
  it('is counted under its name and, for one release, its earlier one', async () => {
    const metrics = new Metrics('api');
    metrics.countLogOnly('rate_limit', 'denied');
    metrics.countLogOnly('rate_limit', 'denied');
    metrics.countLogOnly('require_approval', 'held');
    const text = await metrics.registry.metrics();
    for (const name of ['haldir_policy_log_only_total', 'haldir_policy_rehearsals_total']) {
      expect(text).toContain(`${name}{type="rate_limit",outcome="denied",process="api"} 2`);
      expect(text).toContain(`${name}{type="require_approval",outcome="held",process="api"} 1`);
    }
  });
});

it('how fast requests are answered leaves out those that wait for something to say', async () => {
  const metrics = new Metrics('api');
  for (let i = 0; i < 10; i++) {
    metrics.observeRequest('POST', '/v1/x', 200, 0.004);
    metrics.observeRequest('POST', '/v1/connectors/:name/exchanges/claim', 200, 25, true);
  }
  metrics.observeRequest('POST', '/v1/connectors/:name/exchanges/claim', 503, 4, true);
  const { total, errors, within } = await metrics.requests();
  expect([total, errors, within(0.5), within(0.99)]).toEqual([21, 1, 0.005, 0.005]);
});
