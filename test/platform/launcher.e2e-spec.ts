// What a newcomer does: npm start, and later an end to it. Each test starts the whole of it in a home of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client as Caller,
  eventually,
  type Launched,
  npmStart,
  signInByLink,
  startReceiver,
  tokenOf,
} from '@haldir/test-support';
import { Client } from 'pg';
import { roleUrls } from '../../scripts/embedded/roles.mjs';

let home: string;
let started: Launched[] = [];
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'haldir-launcher-'));
});
afterEach(() => {
  for (const pid of started.flatMap(({ living }) => living())) process.kill(pid, 'SIGKILL');
  started = [];
});
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }));

const start = async (settings: Record<string, string> = {}): Promise<Launched> => {
  const launched = await npmStart(home, settings);
  started.push(launched);
  return launched;
};
const readHome = (...name: string[]): string => readFileSync(join(home, ...name), 'utf8');

it.each([['SIGTERM'], ['SIGKILL']] as const)(
  '%s to npm leaves no process: launcher, API, worker and database end',
  async (signal) => {
    const { npm, living } = await start();
    npm.kill(signal);
    await eventually(() => expect(living()).toEqual([]), 30_000);
  },
);

it.each([['SIGTERM'], ['SIGKILL']] as const)(
  '%s to what npm start printed leaves no process either, and the next start finds its data',
  async (signal) => {
    const { said, pids, living } = await start();
    const printed = Number(/kill (\d+)/.exec(said)?.[1]);
    expect(pids[0]).toBe(printed);
    process.kill(printed, signal);
    await eventually(() => expect(living()).toEqual([]), 30_000);
  },
);

describe('the address that npm start serves at', () => {
  /** The page that is named in the event of a request for approval of a new tenant's. */
  const pageIn = async ({ url }: Launched): Promise<{ page: unknown; id: string }> => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const minted = await new Caller(url, null).post<{ key: string }>('/v1/keys', {
      ...{ name: 'operator', bootstrap_token: readHome('bootstrap-token').trim() },
    });
    const tenant = new Caller(url, minted.body.key);
    const hook = await tenant.post<{ webhook_id: number; secret: string }>('/v1/webhooks', {
      url: receiver.url('hook'),
    });
    receiver.expectSecrets(hook.body.webhook_id, [hook.body.secret]);
    const { body } = await tenant.post<{ request_id: string }>('/v1/approvals/request', {
      session_id: await tenant.session(),
    });
    await eventually(() => expect(receiver.at('hook')).toHaveLength(1));
    return { page: receiver.at('hook')[0]?.body['page'], id: body.request_id };
  };

  it('is the address of links, unless another is set', async () => {
    const plain = await start();
    const { page, id } = await pageIn(plain);
    expect(page).toBe(`${plain.url}/approvals/${id}`);
    expect((await fetch(String(page))).status).toBe(200);
    await plain.stop();

    const named = await start({ HALDIR_PUBLIC_URL: 'https://haldir.example.com' });
    const other = await pageIn(named);
    expect(other.page).toBe(`https://haldir.example.com/approvals/${other.id}`);
    await named.stop();
  });
});

describe('the link of the first owner', () => {
  let own: string;
  beforeEach(() => {
    own = mkdtempSync(join(tmpdir(), 'haldir-first-owner-'));
  });
  afterEach(() => rmSync(own, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }));
  const startOwn = async (settings: Record<string, string> = {}): Promise<Launched> => {
    const launched = await npmStart(own, settings);
    started.push(launched);
    return launched;
  };
  const linkIn = ({ said }: Launched): string | undefined =>
    /^ {2}(http:\/\/localhost:\d+\/welcome#[A-Za-z0-9_-]{43})$/m.exec(said)?.[1];

  it('is printed by each start until somebody has signed in, ends the one before, and is in no file', async () => {
    const first = await startOwn();
    const old = linkIn(first) ?? '';
    expect(new URL(old).port).toBe(new URL(first.url).port);
    await first.stop();
    const second = await startOwn();
    const link = linkIn(second) ?? '';
    const who = { email: 'alice@example.com' };
    expect((await signInByLink(second.url, tokenOf(old), who)).status).toBe(401);
    expect((await signInByLink(second.url, tokenOf(link), who)).status).toBe(200);
    await second.stop();
    const third = await startOwn();
    expect(third.said).not.toMatch(/welcome|first key/);
    await third.stop();
    const files = readdirSync(own, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(5);
    for (const { parentPath, name } of files) {
      const kept = readFileSync(join(parentPath, name), 'latin1');
      for (const each of [old, link]) expect([name, kept.includes(tokenOf(each))]).toEqual([name, false]);
    }
  });

  it('is not printed once there is a key, and where nobody knows the address it says what to set', async () => {
    const elsewhere = await startOwn({ HOST: '0.0.0.0' });
    expect(linkIn(elsewhere)).toBeUndefined();
    expect(elsewhere.said).toMatch(/No link for the first owner: HALDIR_PUBLIC_URL: expected/);
    const { url } = elsewhere;
    expect((await new Caller(url, null).post('/v1/keys', { tier: 'enterprise' })).status).toBe(201);
    await elsewhere.stop();
    const again = await startOwn();
    expect(again.said).not.toMatch(/welcome|first key|first owner/);
    await again.stop();
  });
});

describe('what npm start keeps', () => {
  let launched: Launched;
  beforeAll(async () => {
    launched = await start();
    started = [];
  });
  afterAll(() => launched.stop());

  it('the database is no way to the files of the machine for its owner, API and worker: root keys, programs, other roles', async () => {
    const port = readHome('postgres', 'postmaster.pid').split('\n')[3];
    const { postgresPassword } = JSON.parse(readHome('secrets.json')) as { postgresPassword: string };
    const urls = roleUrls(`postgresql://haldir:${encodeURIComponent(postgresPassword)}@127.0.0.1:${port}/haldir`);
    const file = join(home, 'root-keys');
    for (const connectionString of [urls.owner, urls.api, urls.worker]) {
      const db = new Client({ connectionString });
      await db.connect();
      for (const statement of [
        `SELECT pg_read_file('${file}')`,
        `SELECT pg_read_binary_file('${file}')`,
        `SELECT pg_ls_dir('${home}')`,
        `SELECT lo_import('${file}')`,
        `CREATE TEMP TABLE stolen (line text); COPY stolen FROM '${file}'`,
        `CREATE TEMP TABLE stolen (line text); COPY stolen FROM PROGRAM 'cat ${file}'`,
        `COPY (SELECT 1) TO PROGRAM 'cat'`,
        `COPY (SELECT 1) TO '${file}.copy'`,
        'ALTER SYSTEM SET archive_command = true',
        `LOAD '${file}'`,
        'SET ROLE postgres',
        'SET SESSION AUTHORIZATION postgres',
        'ALTER ROLE postgres LOGIN',
        'ALTER ROLE haldir SUPERUSER',
        ...(connectionString === urls.owner ? [] : ['SET ROLE haldir', 'SET SESSION AUTHORIZATION haldir']),
        'CREATE ROLE other SUPERUSER',
        'GRANT pg_read_server_files TO CURRENT_USER',
        'CREATE EXTENSION file_fdw',
        `CREATE FUNCTION f() RETURNS int LANGUAGE c AS '${file}', 'f'`,
      ]) {
        await expect(db.query(statement), statement).rejects.toThrow(
          /permission denied|must be|not exist|not allowed|denied/,
        );
      }
      const { rows } = await db.query<{ rolsuper: boolean }>(
        'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
      );
      expect(rows).toEqual([{ rolsuper: false }]);
      await db.end();
    }
    const superuser = new Client({
      connectionString: Object.assign(new URL(urls.owner), { username: 'postgres' }).href,
    });
    await expect(superuser.connect()).rejects.toThrow(/authentication failed|not permitted to log in/);
    const given = launched.pids.slice(1, 3).map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    expect(given.filter((environment) => environment.includes(postgresPassword))).toEqual([]);
  });

  it('what opens new tenants is the owner’s alone to read, and opens them before and after the first key', async () => {
    const { url } = launched;
    expect(statSync(join(home, 'bootstrap-token')).mode & 0o777).toBe(0o600);
    const token = readHome('bootstrap-token').trim();
    const mint = (body: object): Promise<Response> =>
      fetch(`${url}/v1/keys`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await mint({ name: 'operator', tier: 'enterprise' })).status).toBe(201);
    expect((await mint({ name: 'operator', tier: 'enterprise' })).status).toBe(401);
    expect((await mint({ name: 'demo', bootstrap_token: token })).status).toBe(201);
    expect((await mint({ name: 'demo', bootstrap_token: `${token}x` })).status).toBe(401);
  });
});
