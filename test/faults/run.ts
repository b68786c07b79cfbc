import { setTimeout as pause } from 'node:timers/promises';
import {
  BOOTSTRAP_TOKEN,
  Client,
  eventually,
  type FakeUpstream,
  type Receiver,
  startFakeUpstream,
  startReceiver,
} from '@haldir/test-support';
import { Pool } from 'pg';
import { Caller } from './caller.js';
import { findViolations, type Sql } from './checks.js';
import { Cluster } from './cluster.js';
import { History } from './history.js';
import { Actor, type Tenants } from './load.js';
import { Random } from './random.js';
import { PRICE_CENTS, TOOLS } from './tool-load.js';

export interface Outcome {
  /** One line: what was done, what was done to it, and what was wrong. */
  summary: string;
  violations: string[];
}

const ACTORS = 10;
/** Those who do nothing but call a tool. */
const CALLERS = 4;
/** About so many calls that came to the upstream are followed by the death of a process that makes them. */
const CALLS_A_DEATH = 500;

/**
 * A mixed load while processes and servers die, and whether everything acknowledged is as it was acknowledged afterwards. Of every
 * four seeds one has its queues on PostgreSQL.
 */
export async function runSeed(seed: number, seconds: number): Promise<Outcome> {
  const random = new Random(seed);
  const [cluster, receiver, upstream] = await Promise.all([
    Cluster.start({ redis: seed % 4 !== 0 }),
    startReceiver(),
    startFakeUpstream(...Object.values(TOOLS)),
  ]);
  const pool = new Pool({ connectionString: cluster.databaseUrl, max: 2 });
  // It dies with its server.
  pool.on('error', () => undefined);
  const sql: Sql = async <Row>(text: string, values: unknown[] = []) => (await pool.query(text, values)).rows as Row[];
  try {
    return await attempt(seed, seconds, { random, cluster, receiver, upstream, sql });
  } finally {
    await pool.end();
    await cluster.stop();
    await receiver.stop();
    await upstream.stop();
  }
}

interface Stage {
  random: Random;
  cluster: Cluster;
  receiver: Receiver;
  upstream: FakeUpstream;
  sql: Sql;
}

async function attempt(seed: number, seconds: number, stage: Stage): Promise<Outcome> {
  const { random, cluster, receiver, upstream, sql } = stage;
  const history = new History();
  const tenants: Tenants = { free: await newTenant(cluster), careful: await newTenant(cluster) };
  const callers = [tenants.free, tenants.careful];
  await tenants.careful.insist(random, 'POST', '/v1/approvals/rules', { type: 'spend_over', threshold: 0 });
  await tenants.careful.insist(random, 'POST', '/v1/approvals/rules', {
    ...{ type: 'tool_blocked', tools: [`up.${TOOLS.guarded}`] },
  });
  for (const caller of callers)
    await caller.insist(random, 'POST', '/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  const price = `/v1/proxy/upstreams/up/tools/${TOOLS.priced}/price`;
  await tenants.free.insist(random, 'PUT', price, { price_usd: PRICE_CENTS / 100 });
  const endpoints = ['first', 'second'];
  for (const endpoint of endpoints) await register(tenants.free, receiver, endpoint, random);

  const ending = AbortSignal.timeout(seconds * 1000);
  const actors = Array.from({ length: ACTORS }, () => new Actor(tenants, history, random.fork()).run(ending));
  const rushing = Array.from({ length: CALLERS }, () => new Actor(tenants, history, random.fork()).rush(ending));
  const strikes = [strikeUntil(ending, cluster, random.fork()), strikeCalls(ending, cluster, upstream, random.fork())];
  await Promise.all([...actors, ...rushing, ...strikes]);
  await cluster.recover();

  const violations = [...history.violations];
  try {
    await settle(sql);
  } catch (error) {
    violations.push(`not settled: ${(error as Error).message.replaceAll(/\s+/g, ' ').slice(0, 500)}`);
  }
  const tenantIds = await Promise.all(callers.map((caller) => tenantOf(caller, random)));
  violations.push(
    ...(await findViolations({ history, sql, callers, tenantIds, receiver, upstream, endpoints, random })),
  );
  violations.push(...callers.flatMap(({ wrong }) => wrong), ...cluster.errors());
  const told = { history, cluster, receiver, callers, violations, calls: upstream.calls.length };
  return { summary: summarise(seed, seconds, told), violations };
}

async function newTenant(cluster: Cluster): Promise<Caller> {
  const body = { tier: 'enterprise', bootstrap_token: BOOTSTRAP_TOKEN };
  const minted = await new Client(cluster.urls[0] ?? '', null).post<{ key: string }>('/v1/keys', body);
  if (minted.status !== 201) throw new Error(`no key: ${minted.status}`);
  return new Caller(cluster.urls, minted.body.key);
}

async function tenantOf(caller: Caller, random: Random): Promise<string> {
  return String((await caller.insist(random, 'GET', '/v1/audit/tree-head'))?.body['tenant_id']);
}

/** An endpoint of a receiver that fails one delivery in ten at the first attempt. */
async function register(caller: Caller, receiver: Receiver, path: string, random: Random): Promise<void> {
  const fails = random.fork();
  receiver.answer(path, ({ attempt }) => (attempt === 1 && fails.chance(0.1) ? 503 : 204));
  const reply = await caller.insist(random, 'POST', '/v1/webhooks', { url: receiver.url(path) });
  receiver.expectSecrets(Number(reply?.body['webhook_id']), [String(reply?.body['secret'])]);
}

/** Every kind of fault in a random order, again and again, whatever the last one has left. */
async function strikeUntil(ending: AbortSignal, cluster: Cluster, random: Random): Promise<void> {
  const underWay: Promise<void>[] = [];
  const kinds = [...cluster.faults, 'api', 'worker'] as const;
  const deck: (typeof kinds)[number][] = [];
  for (;;) {
    await pause(random.between(300, 2_500));
    if (ending.aborted) break;
    if (deck.length === 0) deck.push(...random.shuffled(kinds));
    const strike = cluster.strike(deck.pop() ?? 'api', random);
    // Awaited below; until then it may fail without anybody listening.
    strike.catch(() => undefined);
    underWay.push(strike);
  }
  await Promise.all(underWay);
}

/** Kills a process that makes calls, again and again, with calls under way. */
async function strikeCalls(
  ending: AbortSignal,
  cluster: Cluster,
  upstream: FakeUpstream,
  random: Random,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  const calls = (): number => random.between(CALLS_A_DEATH * 0.8, CALLS_A_DEATH * 1.2);
  for (let next = calls(); !ending.aborted; await pause(5)) {
    if (upstream.calls.length < next) continue;
    next = upstream.calls.length + calls();
    const strike = cluster.strike('api', random);
    strike.catch(() => undefined);
    underWay.push(strike);
  }
  await Promise.all(underWay);
}

/** Waits until everything that was to happen later has happened. */
async function settle(sql: Sql): Promise<void> {
  await eventually(
    async () => {
      expect(await sql('SELECT count(*)::integer AS waiting FROM outbox')).toEqual([{ waiting: 0 }]);
      expect(await sql('SELECT count(*)::integer AS started FROM started_call')).toEqual([{ started: 0 }]);
      const states = await sql('SELECT state, count(*)::integer FROM webhook_delivery WHERE state <> $1 GROUP BY 1', [
        'delivered',
      ]);
      expect(states).toEqual([]);
    },
    60_000,
    250,
  );
}

interface Told {
  history: History;
  cluster: Cluster;
  receiver: Receiver;
  callers: readonly Caller[];
  violations: readonly string[];
  /** That came to the upstream. */
  calls: number;
}

function summarise(
  seed: number,
  seconds: number,
  { history, cluster, receiver, callers, violations, calls }: Told,
): string {
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const acknowledged = Object.values(history.acknowledged()).reduce((sum, count) => sum + count, 0);
  const events = new Set(receiver.arrivals.map(({ path, id }) => `${path} ${id}`)).size;
  const retries = callers.reduce((sum, caller) => sum + caller.retries, 0);
  return [
    `seed ${seed}: ${seconds} s, queues on ${cluster.queues}`,
    `${acknowledged} acknowledged (${list(history.acknowledged())}), ${retries} retries`,
    `${calls} calls came to the upstream`,
    `kills: ${list(cluster.struck)}`,
    `${events} deliveries, ${receiver.arrivals.length - events} again`,
    `${violations.length} violations`,
  ].join('; ');
}
