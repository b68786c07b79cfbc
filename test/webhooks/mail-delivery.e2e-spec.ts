import { createServer, type Socket } from 'node:net';
import {
  type AppProcess,
  type Client,
  type Environment,
  eventually,
  LOCALHOST_CERTIFICATE,
  type MailServer,
  personOf,
  startMailServer,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { requestApproval } from './endpoint.js';

const PASSWORD = 'canary-of-the-smtp-password';
const login = { user: 'haldir', pass: PASSWORD };

interface Row {
  state: string;
  error: string | null;
  attempts: number;
}

let world: World;
let tenant: Client;
let address: string;
let people = 0;
const workers: AppProcess[] = [];
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  tenant = await world.newTenant();
  address = `approver-${++people}@example.com`;
  await personOf(tenant, 'approver', address);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) {
    await worker.kill();
    expect(worker.output()).not.toContain(PASSWORD);
    expect(worker.output()).not.toContain(address);
  }
  // No other test's worker sends what this one left.
  await world.sql('DELETE FROM mail');
});

async function serve(options: Parameters<typeof startMailServer>[0] = {}): Promise<MailServer> {
  const server = await startMailServer(options);
  onTestFinished(() => server.stop());
  return server;
}

async function workerWith(url: string, more: Environment = {}): Promise<AppProcess> {
  const mail = { HALDIR_SMTP_URL: url, HALDIR_MAIL_FROM: 'haldir@example.com' };
  const worker = await startWorker({ ...world.environment, ...mail, LOG_LEVEL: 'trace', ...more });
  workers.push(worker);
  return worker;
}

const rows = async (): Promise<Row[]> =>
  world.sql<Row>('SELECT state, error, attempts FROM mail WHERE tenant_id = $1', [await world.tenantOf(tenant)]);
const becomes = (expected: Partial<Row>): Promise<void> =>
  eventually(async () => expect(await rows()).toMatchObject([expected]), 60_000);
/** Has what waits for its time be due, and nobody hold it. */
const makeDue = (): Promise<unknown> =>
  world.sql('UPDATE mail SET next_attempt_at = now(), leased_until = NULL WHERE state = $1', ['pending']);

describe('a server', () => {
  it.each(['implicit', 'starttls'] as const)(
    'with TLS (%s) that is trusted gets the mail under it, after the login',
    async (tls) => {
      const server = await serve({ tls, login });
      const at = `haldir:${PASSWORD}@localhost:${server.port}`;
      const url = tls === 'implicit' ? `smtps://${at}` : `smtp://${at}?tls=required`;
      await workerWith(url, { NODE_EXTRA_CA_CERTS: LOCALHOST_CERTIFICATE });
      await requestApproval(tenant);
      await becomes({ state: 'sent', attempts: 1 });
      expect(server.to(address)).toMatchObject([{ user: 'haldir', secure: true }]);
    },
  );

  it('with a certificate that nobody vouches for is told nothing', async () => {
    const server = await serve({ tls: 'implicit', login });
    await workerWith(`smtps://haldir:${PASSWORD}@localhost:${server.port}`);
    await requestApproval(tenant);
    await becomes({ state: 'pending', attempts: 1 });
    expect((await rows())[0]?.error).toMatch(/^(tls|connect)$/);
    expect(server.mails).toEqual([]);
  });

  it('without TLS is told nothing where it is required', async () => {
    const server = await serve({ login });
    await workerWith(`smtp://haldir:${PASSWORD}@localhost:${server.port}?tls=required`);
    await requestApproval(tenant);
    await becomes({ state: 'pending', error: 'tls', attempts: 1 });
    expect(server.mails).toEqual([]);
  });

  it('that refuses the login, and repeats it, is asked again later, and its words are nowhere', async () => {
    const server = await serve({ login: { user: 'haldir', pass: 'another' } });
    const worker = await workerWith(`smtp://haldir:${PASSWORD}@127.0.0.1:${server.port}`);
    await requestApproval(tenant);
    await becomes({ state: 'pending', error: 'auth', attempts: 1 });
    await eventually(() => expect(worker.output()).toContain('"reason":"auth"'));
    expect(await (await fetch(`${worker.url}/metrics`)).text()).toMatch(
      /haldir_mails_total\{outcome="deferred"[^}]*\} 1/,
    );
  });

  it('that puts the mail off (451) is sent it again when its time has come, the same mail', async () => {
    const server = await serve();
    let answers = 0;
    server.answer(() => (answers++ === 0 ? 451 : undefined));
    await workerWith(`smtp://127.0.0.1:${server.port}`);
    await requestApproval(tenant);
    await becomes({ state: 'pending', error: 'deferred', attempts: 1 });
    expect(server.to(address)).toHaveLength(1);
    await makeDue();
    await becomes({ state: 'sent', error: null, attempts: 2 });
    const [first, second] = server.to(address);
    for (const name of ['message-id', 'date', 'subject'])
      expect(first?.headers.get(name)).toBe(second?.headers.get(name));
    expect([first?.text, first?.html]).toEqual([second?.text, second?.html]);
  });

  it.each(['of the recipient', 'of the mail'])(
    'that refuses it for good (550 %s) is not asked again, and the metrics count it',
    async (what) => {
      const server = await serve();
      if (what === 'of the mail') server.answer(() => 550);
      else server.answerRecipient(() => 550);
      const worker = await workerWith(`smtp://127.0.0.1:${server.port}`);
      const id = await requestApproval(tenant);
      await becomes({ state: 'failed', error: 'refused', attempts: 1 });
      expect(await (await fetch(`${worker.url}/metrics`)).text()).toMatch(
        /haldir_mails_total\{outcome="failed"[^}]*\} 1/,
      );
      expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ told: 0, notified: 'nobody' });
    },
  );

  it('that says nothing holds the mail up for its time and no longer, and nothing else', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    await workerWith(`smtp://127.0.0.1:${port}`);
    await requestApproval(tenant, { ttl: 1 });
    await becomes({ state: 'pending', error: 'timeout', attempts: 1 });
    await eventually(async () => {
      const { body } = await tenant.get<{ entries: unknown[] }>('/v1/audit?action=approval_expired');
      expect(body.entries).toHaveLength(1);
    });
  });

  it('that is not there is asked again, with less and less haste, and given up in the end', async () => {
    await workerWith('smtp://127.0.0.1:9');
    await requestApproval(tenant);
    await becomes({ state: 'pending', error: 'connect', attempts: 1 });
    await world.sql('UPDATE mail SET attempts = 6');
    await makeDue();
    await becomes({ state: 'failed', error: 'connect', attempts: 7 });
  });
});

describe('workers', () => {
  it('send each mail once, however many they are', async () => {
    const server = await serve();
    await Promise.all([1, 2, 3].map(() => workerWith(`smtp://127.0.0.1:${server.port}`)));
    const session_id = await tenant.session({ agent_id: 'asker' });
    await Promise.all(Array.from({ length: 30 }, () => tenant.post('/v1/approvals/request', { session_id })));
    await eventually(async () => {
      const found = await rows();
      expect([found.length, found.every(({ state }) => state === 'sent')]).toEqual([30, true]);
    }, 60_000);
    const ids = server.to(address).map(({ headers }) => headers.get('message-id'));
    expect([ids.length, new Set(ids).size]).toEqual([30, 30]);
  });

  it('killed when the mail was taken and nobody had written that down send it once more, under the same Message-ID', async () => {
    const server = await serve();
    const url = `smtp://127.0.0.1:${server.port}`;
    const first = await workerWith(url);
    server.answer(async () => {
      await first.kill();
      return undefined;
    });
    await requestApproval(tenant);
    await eventually(() => expect(server.to(address)).toHaveLength(1), 60_000);
    expect(await rows()).toMatchObject([{ state: 'pending', attempts: 0 }]);
    server.answer(() => undefined);
    await workerWith(url);
    // Nobody else takes it as long as the dead one may hold it.
    await makeDue();
    await becomes({ state: 'sent', attempts: 1 });
    const [one, two, ...more] = server.to(address);
    expect(more).toEqual([]);
    expect(one?.headers.get('message-id')).toBe(two?.headers.get('message-id'));
  });

  it('killed after that send it no more', async () => {
    const server = await serve();
    const url = `smtp://127.0.0.1:${server.port}`;
    const first = await workerWith(url);
    await requestApproval(tenant);
    await becomes({ state: 'sent' });
    await first.kill();
    await workerWith(url);
    await makeDue();
    await requestApproval(tenant);
    await eventually(async () => expect((await rows()).map(({ state }) => state)).toEqual(['sent', 'sent']), 60_000);
    expect(server.to(address)).toHaveLength(2);
  });
});

it('nothing is sent, and nothing waits to be, where no server is set', async () => {
  workers.push(await startWorker(world.environment));
  const id = await requestApproval(tenant);
  await eventually(async () => {
    const { body } = await tenant.get<{ entries: { details: string }[] }>('/v1/audit?action=approval_told_nobody');
    expect(body.entries.map(({ details }) => details).join()).toContain(id);
  });
  expect(await rows()).toEqual([]);
});
