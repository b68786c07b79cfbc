import { setTimeout as pause } from 'node:timers/promises';
import {
  BOOTSTRAP_TOKEN,
  Client,
  eventually,
  Scenario,
  startApi,
  startTestPostgres,
  testEnvironment,
  text,
} from '@haldir/test-support';

it('calls that are answered while the database is away are in the log once it is back, with what came of them', async () => {
  const postgres = await startTestPostgres({ durable: true });
  const environment = await testEnvironment({
    ...{ DATABASE_OWNER_URL: postgres.url, REDIS_URL: '', HALDIR_BOOTSTRAP_TOKEN: BOOTSTRAP_TOKEN },
  });
  const api = await startApi(environment);
  try {
    const body = { tier: 'enterprise', bootstrap_token: BOOTSTRAP_TOKEN };
    const minted = await new Client(api.url, null).post<{ key: string }>('/v1/keys', body);
    const tenant = new Client(api.url, minted.body.key);
    const session = await tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
    const scenario = await Scenario.begin({ apis: [api], newTenant: async () => tenant }, { session });
    const up = await scenario.upstream('up', 'free', 'priced');
    await tenant.put('/v1/proxy/upstreams/up/tools/priced/price', { price_usd: 0.5 });
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    up.answer = async () => {
      await answered;
      return text('done');
    };
    const kinds = ['free', 'priced'].flatMap((tool) => [{ tool }, { tool, key: `key-of-${tool}` }]);
    const calls = kinds.map(({ tool, ...options }) => scenario.call(tool, {}, options));
    await eventually(() => Promise.resolve(expect(up.calls).toHaveLength(4)));
    postgres.kill();
    answer();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    await pause(500);
    await postgres.restart();

    await eventually(async () => {
      const { body } = await tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=100');
      const said = body.entries.filter(({ action }) => action.startsWith('tool_call'));
      expect(said.map(({ action, details }) => [action, (JSON.parse(details) as { result: string }).result])).toEqual(
        Array.from({ length: 4 }, () => ['tool_call', 'ok']),
      );
    }, 40_000);
    expect((await tenant.get(`/v1/sessions/${scenario.session}`)).body).toMatchObject({
      spent: 1,
      remaining_budget: 4,
    });
    await scenario.end();
  } finally {
    await api.kill();
    await postgres.stop();
  }
}, 90_000);
