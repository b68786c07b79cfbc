import { randomBytes } from 'node:crypto';
import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { ConnectorAnswers } from './connector-answers.js';
import { ConnectorExchangeRepository } from './connector-exchange.repository.js';
import { ConnectorPartRepository } from './connector-part.repository.js';
import { type ExchangeSeal } from './exchange-seal.js';

const INSTANCE = 'instance0of0the0test';

let dataSource: DataSource;
let exchanges: ConnectorExchangeRepository;
let kept: ConnectorPartRepository;
let answers: ConnectorAnswers;
let place: { tenantId: string; id: string };
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 8)).initialize();
  const transactions = new Transactions(dataSource);
  exchanges = new ConnectorExchangeRepository(transactions);
  kept = new ConnectorPartRepository(transactions);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  const seal = { sealPart: () => randomBytes(8) };
  answers = new ConnectorAnswers(kept, exchanges, seal as unknown as ExchangeSeal);
  place = { tenantId: newId('ten'), id: newId('cex') };
  await dataSource.query(
    `INSERT INTO connector_exchange (tenant_id, id, upstream, claimed_by, bytes, ends_at)
       VALUES ($1, $2, 'fs', $3, 1, now() + interval '5 minutes')`,
    [place.tenantId, place.id, INSTANCE],
  );
});

const parts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: place.id, seq: from + i, data: 'x', last: false }));
const send = (from: number, to: number): Promise<string[]> =>
  answers.take({ tenantId: place.tenantId, upstream: 'fs', instance: INSTANCE }, parts(from, to));

describe('parts of an answer that nobody has read yet', () => {
  it('wait with whoever sends them beyond 256, and come whole once they are read', async () => {
    await send(0, 200);
    const rest = send(200, 300);
    const read: number[] = [];
    while (read.length < 256) read.push(...(await kept.read([place])).map(({ seq }) => seq));
    expect(await rest).toEqual([]);
    read.push(...(await kept.read([place])).map(({ seq }) => seq));
    expect(read.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, seq) => seq));
  });

  it('are dropped with their exchange, and the connector is told, when nobody comes to read them', async () => {
    await send(0, 256);
    expect(await send(256, 300)).toEqual([place.id]);
    expect(await exchanges.look([place])).toMatchObject([{ isGone: true, hasParts: false }]);
  });
});

it('of one tenant are 1,024 at once in a process at most', async () => {
  const invented = parts(0, 200).map((part) => ({ ...part, id: newId('cex') }));
  const from = { tenantId: place.tenantId, upstream: 'fs', instance: INSTANCE };
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => answers.take(from, invented)));
  const refused = all.filter((one) => one.status === 'rejected');
  expect(refused.length).toBe(3);
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'too_many_answers', kind: 'limited' });
  expect((await answers.take(from, invented)).length).toBe(200);
});
