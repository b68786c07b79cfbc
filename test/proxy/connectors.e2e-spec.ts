import { type Scenario, startStatefulUpstream } from '@haldir/test-support';
import { ConnectorStage } from './connector-stage.js';

let stage: ConnectorStage;
let scenario: Scenario;
beforeAll(async () => void (stage = await ConnectorStage.start()));
afterAll(() => stage.stop());
beforeEach(async () => void (scenario = await stage.begin()));
afterEach(() => stage.end());

describe('an upstream that a connector stands for', () => {
  it('is registered by the first lease, with its tools, and called like any other, whichever process is asked', async () => {
    const upstream = scenario.keep(await startStatefulUpstream());
    await stage.connector(upstream.url);
    await stage.listed(2);
    expect(await stage.shown()).toMatchObject({ url: 'connector:fs', connector: { instances: 1 }, sessions: 'own' });
    const [one, two] = [await stage.session('one'), await stage.session('two')];
    await stage.call('fs.goto', { page: 'of one' }, one);
    await stage.call('fs.goto', { page: 'of two' }, two);
    for (let i = 0; i < 4; i++) {
      expect(await stage.call('fs.page', {}, one)).toEqual(['of one']);
      expect(await stage.call('fs.page', {}, two)).toEqual(['of two']);
      expect(await stage.call('fs.page', {}, two)).toEqual(['of two']);
    }
    const { body } = await scenario.tenant.get<{ entries: { action: string; actor: string }[] }>(
      '/v1/audit?action=upstream_registered',
    );
    expect(body.entries).toEqual([expect.objectContaining({ tool: 'haldir.proxy' })]);
  });
});
