import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  BOOTSTRAP_TOKEN,
  type Client,
  eventually,
  type FakeUpstream,
  type Receiver,
  startFakeUpstream,
  startReceiver,
  startTestPostgres,
  startTestRedis,
  startWorker,
  startWorld,
  type TestPostgres,
  type TestRedis,
  type World,
} from '@haldir/test-support';
import { type Canary } from './leaks/canaries.js';
import { KEPT, SESSION_ID_COLUMNS, SHOWN } from './leaks/kept.js';
import { dumpDatabase, dumpRedis, filesIn, monitorRedis } from './leaks/places.js';
import { pushBeyondTheDocument, pushEverywhere, pushThroughMcp } from './leaks/push-everywhere.js';
import { Requests } from './leaks/requests.js';
import { useSecrets } from './leaks/use-secrets.js';

const requests = new Requests();
const { canaries, secrets, answers } = requests;
const smtpPassword = randomBytes(24).toString('base64url');
const rootKey = randomBytes(32).toString('base64url');

let postgres: TestPostgres;
let redis: TestRedis | null;
let monitor: { commands: string[]; stop(): void } | null = null;
let receiver: Receiver;
let upstream: FakeUpstream;
let world: World;
let worker: AppProcess;
let tenant: Client;

beforeAll(async () => {
  [postgres, redis, receiver, upstream] = await Promise.all([
    startTestPostgres({ durable: false }),
    startTestRedis(),
    startReceiver(),
    startFakeUpstream('echo'),
  ]);
  world = await startWorld({
    environment: {
      DATABASE_OWNER_URL: postgres.url,
      ...(redis ? { REDIS_URL: redis.url } : {}),
      HALDIR_ROOT_KEYS: `1:${rootKey}`,
      // Nobody is there: whoever is to be told is told later.
      HALDIR_SMTP_URL: `smtp://haldir:${smtpPassword}@127.0.0.1:9`,
      HALDIR_MAIL_FROM: 'haldir@example.com',
      LOG_LEVEL: 'trace',
    },
  });
  await world.sql('ALTER SYSTEM SET log_min_duration_statement = 0');
  await world.sql('SELECT pg_reload_conf()');
  if (redis) monitor = await monitorRedis(redis.url);
  worker = await startWorker(world.environment);
  tenant = await world.newTenant();
  secrets.keep('root-key', rootKey);
  secrets.keep('bootstrap-token', BOOTSTRAP_TOKEN);
  secrets.keep('smtp-password', smtpPassword);
  for (const { key } of [world.operator, tenant]) secrets.keep('api-key', (key ?? '').slice('hld_'.length + 10));
  await useSecrets(requests, { tenant, receiver, upstream });
  await pushEverywhere(requests, { world, receiver, upstream });
  await pushBeyondTheDocument(requests, tenant);
  await pushThroughMcp(requests, tenant, { world, receiver, upstream });
  await pause(2_000);
}, 300_000);
afterAll(async () => {
  monitor?.stop();
  await worker.stop();
  await world.stop();
  await Promise.all([redis?.stop(), postgres.stop(), receiver.stop(), upstream.stop()]);
});

const nameOf = (canary: Canary | null): string => (canary ? `${canary.operation} ${canary.place}` : 'somebody');

it('pushed a canary through every operation of the served document, valid and broken', () => {
  expect(canaries.count).toBeGreaterThan(1_000);
  const accepted = answers.filter(({ canary, status }) => canary && status < 300).length;
  expect(accepted).toBeGreaterThan(100);
});

it('no answer is a failure of ours', () => {
  expect(
    answers
      .filter(({ status }) => status >= 500)
      .map(({ canary, operation, status }) => `${operation} ${nameOf(canary)} ${status}`),
  ).toEqual([]);
});

it('no refusal repeats what it was sent, nor a secret', () => {
  const leaks = answers
    .filter(({ status }) => status >= 400)
    .flatMap(({ operation, written }) => [
      ...canaries.tracesIn(written).map(({ form, canary }) => `${operation}: ${form} of ${nameOf(canary)}`),
      ...secrets.tracesIn(written).map((trace) => `${operation}: ${trace}`),
    ]);
  expect(leaks).toEqual([]);
});

it('a secret is in the answer that was asked for it, and in no other', () => {
  const kinds = [
    ...['vault-value', 'api-key', 'webhook-secret', 'root-key', 'bootstrap-token'],
    ...['sign-in-link', 'person-cookie', 'page-token', 'passkey-signature', 'push-endpoint', 'push-auth'],
  ];
  const found = answers.flatMap(({ operation, status, written }) =>
    secrets.tracesIn(written, ...kinds).map((trace) => `${operation} ${status}: ${trace.replace(/ \d+ raw$/, '')}`),
  );
  expect([...new Set(found)].sort()).toEqual(SHOWN);
});

it('the log of no process says anything of it, at its most talkative', () => {
  for (const app of [...world.apis, worker]) {
    expect(app.output()).toContain('"level":20');
    expect(canaries.tracesIn(app.output()).map(({ form, canary }) => `${form} of ${nameOf(canary)}`)).toEqual([]);
    expect(secrets.tracesIn(app.output())).toEqual([]);
  }
});

it('metrics say nothing of it', async () => {
  const shown = await Promise.all(
    [...world.apis, worker].map(({ url }) => fetch(`${url}/metrics`).then((response) => response.text())),
  );
  shown.push(JSON.stringify((await tenant.get('/v1/metrics')).body));
  for (const text of shown) expect([canaries.tracesIn(text), secrets.tracesIn(text)]).toEqual([[], []]);
});

it('the database keeps what it was given to keep, where that belongs', async () => {
  const kept: Record<string, Set<string>> = {};
  const sessions = new Set<string>();
  const leaks: string[] = [];
  for (const { place, value } of await dumpDatabase(world)) {
    for (const { form, canary } of canaries.tracesIn(value)) {
      if (form !== 'raw') leaks.push(`${place}: ${form}`);
      const name = nameOf(canary).replace(/ as .*/, '');
      (kept[name] ??= new Set()).add(place);
    }
    for (const trace of secrets.tracesIn(value)) {
      if (trace.startsWith('session-id')) sessions.add(place);
      else leaks.push(`${place}: ${trace}`);
    }
  }
  expect(leaks).toEqual([]);
  expect([...sessions].filter((place) => !SESSION_ID_COLUMNS.includes(place))).toEqual([]);
  const unexpected = Object.entries(kept).flatMap(([name, places]) =>
    [...places].filter((place) => !KEPT[name]?.includes(place)).map((place) => `${name}: ${place}`),
  );
  expect(unexpected).toEqual([]);
  expect(Object.keys(KEPT).filter((name) => !kept[name]?.has(KEPT[name]?.[0] ?? ''))).toEqual([]);
});

it('jobs and everything else in Redis say nothing of it', async () => {
  if (!redis || !monitor) return;
  expect(monitor.commands.length).toBeGreaterThan(100);
  for (const written of [...(await dumpRedis(redis.url)), Buffer.from(monitor.commands.join('\n'))]) {
    expect(canaries.tracesIn(written).map(({ form, canary }) => `${form} of ${nameOf(canary)}`)).toEqual([]);
    expect(secrets.tracesIn(written)).toEqual([]);
  }
});

it('no file of the database server has a secret, its log of every statement included', async () => {
  await world.sql('CHECKPOINT');
  const files = filesIn(postgres.dir);
  expect(files.some(({ name, bytes }) => name === join('logs', 'postgres.log') && bytes.includes('Parameters: '))).toBe(
    true,
  );
  const kinds = [
    ...['vault-value', 'api-key', 'webhook-secret', 'root-key', 'bootstrap-token'],
    ...['sign-in-link', 'person-cookie', 'page-token', 'passkey-signature'],
  ];
  for (const { name, bytes } of files) expect([name, secrets.tracesIn(bytes, ...kinds)]).toEqual([name, []]);
});

it('webhooks tell no secret', async () => {
  await eventually(() => expect(receiver.arrivals.length).toBeGreaterThan(2));
  for (const { raw, headers } of receiver.arrivals) {
    expect(secrets.tracesIn(`${JSON.stringify(headers)}${raw}`, 'vault-value', 'api-key', 'webhook-secret')).toEqual(
      [],
    );
  }
});
