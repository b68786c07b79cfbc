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
