import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createLogger, HaldirConfig } from '@haldir/runtime';
import { eventually, testDatabase } from '@haldir/test-support';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';
import { Notices } from './notices.js';
import { Transactions } from './transactions.js';

let url: string;
let dataSource: DataSource;
let ends: (() => Promise<void>)[];

beforeEach(async () => {
  url = await testDatabase();
  dataSource = new DataSource(dataSourceOptions(url, 2));
  await dataSource.initialize();
  ends = [() => dataSource.destroy()];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

function start(database = url): Notices {
  const config = new HaldirConfig({ DATABASE_URL: database, HALDIR_ROOT_KEYS: `1:${'A'.repeat(43)}` });
  const notices = new Notices(config, new Transactions(dataSource), createLogger('silent'));
  ends.push(() => notices.onApplicationShutdown());
  return notices;
}

/** A way to the database on which connections can go silent: they stay open, and nothing comes through any more. */
async function startLine(database: string): Promise<{ url: string; goSilent(): void; stop(): Promise<void> }> {
  const address = new URL(database);
  const open: [Socket, Socket][] = [];
  const server = createServer((near) => {
    const far = connect(Number(address.port), address.hostname);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    open.push([near, far]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const through = new URL(database);
  through.host = `127.0.0.1:${port}`;
  return {
    url: through.href,
    goSilent: () => {
      for (const [near, far] of open) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
    stop: async () => {
      for (const socket of open.flat()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a text', () => {
  it('is heard by whoever listens on its channel, and by nobody else', async () => {
    const heard: Record<string, string[]> = { one: [], two: [], other: [] };
    const [one, two, other] = [start(), start(), start()];
    await one.listen('news', (text) => heard['one']?.push(text));
    await two.listen('news', (text) => heard['two']?.push(text));
    await other.listen('weather', (text) => heard['other']?.push(text));
    await two.send('news', 'first');
    await start().send('news', 'second');
    await eventually(() => expect(heard).toMatchObject({ one: ['first', 'second'], two: ['first', 'second'] }));
    expect(heard['other']).toEqual([]);
  });

  it('is heard whole, however long it is and whatever it repeats, also among others', async () => {
    const heard: string[] = [];
    const notices = start();
    await notices.listen('news', (text) => heard.push(text));
    await notices.listen('weather', (text) => heard.push(text));
    const texts = ['', 'é'.repeat(2_850), 'a'.repeat(5_700), 'a'.repeat(5_701), 'ab€'.repeat(200_000), '\u0001"'];
    await Promise.all(texts.map((text, i) => notices.send(i % 2 ? 'news' : 'weather', text)));
    await eventually(() => expect(heard).toHaveLength(texts.length));
    expect([...heard].sort()).toEqual([...texts].sort());
  });

  it('that nobody here has sent does no harm', async () => {
    const heard: string[] = [];
    const notices = start();
    await notices.listen('news', (text) => {
      if (text === 'bad') throw new Error('not understood');
      heard.push(text);
    });
    for (const text of ['', 'x', '0', '5.AAAA', '0+AAAA', '9999+AAAA', '0.!', '1.AAAA'])
      await dataSource.query('SELECT pg_notify($1, $2)', ['news', text]);
    for (const text of ['bad', 'good']) await notices.send('news', text);
    await eventually(() => expect(heard).toEqual(['good']));
  });

  it('is heard again once a connection that was lost has been made anew', async () => {
    const heard: string[] = [];
    const notices = start();
    const listening = vi.fn();
    await notices.listen('news', (text) => heard.push(text), listening);
    expect(listening).toHaveBeenCalledTimes(1);
    const killer = new Client({ connectionString: url });
    await killer.connect();
    for (let round = 1; round <= 2; round++) {
      await killer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE (query LIKE 'LISTEN%' OR query = 'SELECT') AND datname = current_database()`,
      );
      await eventually(async () => {
        await notices.send('news', `round ${round}`);
        expect(heard).toContain(`round ${round}`);
      });
      // Whoever listens is told, for what it has not heard meanwhile.
      expect(listening).toHaveBeenCalledTimes(1 + round);
    }
    await killer.end();
  });

  it('is heard again after a connection was lost without a word, which does not keep the process from ending', async () => {
    const line = await startLine(url);
    ends.push(line.stop);
    const heard: string[] = [];
    const notices = start(line.url);
    await notices.listen('news', (text) => heard.push(text));
    await notices.send('news', 'first');
    await eventually(() => expect(heard).toEqual(['first']));
    line.goSilent();
    await eventually(async () => {
      await notices.send('news', 'again');
      expect(heard).toContain('again');
    }, 20_000);
    line.goSilent();
    // Whoever waited for an answer here would wait for good.
    await notices.onApplicationShutdown();
  }, 40_000);

  it('is not waited for where the database is not there, and the process can end', async () => {
    const notices = start('postgresql://haldir:x@127.0.0.1:1/haldir');
    await notices.listen('news', () => undefined);
    await notices.onApplicationShutdown();
  });
});
