import { type Actor, type AgentGrant, Clock, keyActor, newId } from '@haldir/kernel';
import { type GrantSeal } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';

const now = new Date('2026-01-01T00:00:00Z');
class SetClock extends Clock {
  now(): Date {
    return now;
  }
}

let dataSource: DataSource;
let transactions: Transactions;
let tenantId: string;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 4)).initialize();
  transactions = new Transactions(dataSource);
  tenantId = newId('tnt');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', $2)`, [tenantId, now]);
});
afterAll(() => dataSource.destroy());

it('gives each of those who ask for a session at once what their own key grants in it, and no more', async () => {
  const sessionId = newId('ses');
  await dataSource.query(
    `INSERT INTO session (tenant_id, id, agent_id, scopes, created_at, expires_at, mac)
       VALUES ($1, $2, 'agent', '{read,execute}', $3, $4, '')`,
    [tenantId, sessionId, now, new Date(now.getTime() + 60_000)],
  );
  const seal = { isIntact: () => true } as unknown as GrantSeal;
  const sessions = new SessionRepository(transactions, seal);
  const unused = {} as never;
  const service = new SessionService(sessions, unused, unused, unused, unused, transactions, new SetClock());
  const key = keyActor(tenantId, 'hld_operator');
  const agent = (scopes: string[]): Actor => ({
    ...keyActor(tenantId, 'hld_agent'),
    agent: {
      agentId: 'agent',
      scopes,
      ttlSeconds: 60,
      spendLimit: null,
      spendPeriod: null,
      upstreams: [],
    } as unknown as AgentGrant,
  });
  const actors = [agent(['read']), key, agent(['execute']), agent([]), key];
  const found = await Promise.all(actors.map((actor) => service.findLive(actor, sessionId)));
  expect(found.map((session) => ['read', 'execute'].filter((scope) => session?.grants(scope)))).toEqual([
    ['read'],
    ['read', 'execute'],
    ['execute'],
    [],
    ['read', 'execute'],
  ]);
  expect(new Set(found).size).toBe(actors.length);
});
