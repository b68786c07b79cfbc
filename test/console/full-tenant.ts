import { type Client, type FakeUpstream, Scenario, type World } from '@haldir/test-support';

/** A tenant in which something of everything has happened. */
export interface FullTenant {
  tenant: Client;
  end: () => Promise<void>;
}

interface Words {
  /** Of the two agents. */
  agents: readonly [string, string];
  scopes: readonly string[];
  tools: readonly string[];
  reason: string;
  secret: string;
  key: string;
  person: string;
}

const ORDINARY: Words = {
  agents: ['research-agent', 'billing-agent'],
  scopes: ['read', 'execute', 'spend'],
  tools: ['search.query', 'mail.send', 'crm.update'],
  reason: 'Paid an invoice twice; held until finance has looked at it',
  secret: 'stripe_api_key',
  key: 'Research in Claude Code',
  person: 'Dana Scully',
};

/** @param words of agents and operators; ordinary ones where they are left out */
export async function fullTenant(world: World, words: Words = ORDINARY): Promise<FullTenant> {
  const scenario: Scenario<FakeUpstream> = await Scenario.of(world, ['search', 'pay']);
  const { tenant } = scenario;
  const [first, second] = words.agents;
  const done = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await tenant.post(path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await tenant.put('/v1/proxy/upstreams/up/tools/search/price', { price_usd: 0.25 });
  await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 2 });
  const scopes = [...words.scopes];
  const sessions = [
    await tenant.session({ agent_id: first, scopes, spend_limit: 50, ttl: 86_400 }),
    await tenant.session({ agent_id: first, scopes: ['execute'], spend_limit: 2, ttl: 3600 }),
    await tenant.session({ agent_id: second, scopes, ttl: 7200 }),
  ];
  for (let i = 0; i < 6; i++) await scenario.call('up.search', { q: 'haldir' }, { session: sessions[0] });
  await scenario.call('up.pay', {}, { session: sessions[1] });
  for (const [i, tool] of words.tools.entries())
    await done('/v1/audit', { session_id: sessions[i % 3], tool, action: tool, cost_usd: i === 0 ? 5000 : 0.01 });
  await done('/v1/payments/authorize', { session_id: sessions[0], amount: 12.4, description: 'Invoice 17' });
  await done('/v1/payments/authorize', { session_id: sessions[2], amount: 4, description: 'Invoice 18' });
  await done('/v1/payments/hold', { session_id: sessions[0], amount: 3, description: 'Tickets' });
  // Days that have passed: no request can say when it is made.
  const tenantId = await world.tenantOf(tenant);
  for (let ago = 1; ago < 7; ago++)
    for (const [agent, tool, usd] of [
      [first, 'up.search', 3 + ((ago * 5) % 7)],
      [second, 'haldir.vault', (ago * 3) % 5],
      [first, 'up.pay', ago % 3],
    ] as const)
      // prettier-ignore
      await world.sql(
        `INSERT INTO payment_day VALUES ($1, to_char(now() AT TIME ZONE 'UTC' - $2 * interval '1 day', 'YYYY-MM-DD'), $3, $4, 2, $5)`,
        [tenantId, ago, agent, tool, String(usd * 1_000_000)],
      );
  await done('/v1/budgets', { scope: 'tenant', limit: 500 });
  await done('/v1/budgets', { scope: 'agent', limit: 25 });
  await done('/v1/budgets', { scope: 'agent', agent_id: first, limit: 18 });
  const ceiling = { ttl: 86_400, scopes, spend_limit: 10 };
  await done('/v1/keys', { name: words.key, tier: 'pro', agent: { agent_id: first, ...ceiling } });
  await done('/v1/keys', { name: words.key, tier: 'pro', connector: { upstream: 'files' } });
  await done('/v1/keys', { name: words.key, scopes: ['audit:read', 'webhooks:write'], expires_at: '2099-01-01' });
  for (const value of ['one', 'two'])
    await done('/v1/secrets', { name: words.secret, value, bindings: [{ upstream: 'up', tool: 'pay' }] });
  await done('/v1/secrets', { name: 'github_token', value: 'x', expires_at: '2099-01-01T00:00:00Z' });
  await done('/v1/secrets', { name: 'old_key', value: 'x' });
  await tenant.delete('/v1/secrets/old_key');
  await tenant.get(`/v1/secrets/${encodeURIComponent(words.secret)}?session_id=${sessions[0]}`);
  await done('/v1/people', { email: 'dana@example.com', name: words.person, role: 'approver' });
  await done(`/v1/agents/${encodeURIComponent(second)}/freeze`, { reason: words.reason });
  return {
    tenant,
    end: async () => {
      await world.sql('DELETE FROM payment_day WHERE tenant_id = $1', [tenantId]);
      await scenario.end();
    },
  };
}
