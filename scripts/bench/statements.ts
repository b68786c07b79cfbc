// What the database alone can do for a program that does nothing else: one prepared SELECT by primary key, and one
// durable INSERT, each from 32 callers over 10 connections. And what it costs that program to say a read, an insert or an
// update by the name of a prepared statement, or through a repository of TypeORM, over the same connections.
import pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { serve } from './child.js';

const ROWS = 1000;
let pool: pg.Pool | undefined;
let dataSource: DataSource | undefined;

const row = new EntitySchema<{ id: string; a: string; b: string; c: Date }>({
  name: 'row',
  tableName: 'bench_row',
  columns: {
    id: { type: 'text', primary: true },
    a: { type: 'text' },
    b: { type: 'bigint' },
    c: { type: 'timestamptz' },
  },
});
const entry = new EntitySchema<{ id: string; a: string; b: string }>({
  name: 'entry',
  tableName: 'bench_entry',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' },
    a: { type: 'text' },
    b: { type: 'bigint' },
  },
});

export type StatementKind = 'select' | 'commit' | `${'named' | 'repository'}-${'read' | 'insert' | 'update'}`;

serve({}, async (job: { open?: string; kind?: StatementKind; seconds: number; callers: number }) => {
  if (job.open !== undefined) return open(job.open);
  if (!pool || !dataSource || !job.kind) throw new Error('not opened');
  const [own, { manager }] = [pool, dataSource];
  const named = (dataSource.driver as unknown as { master: pg.Pool }).master;
  const text = 'x'.repeat(60);
  const statements: Record<StatementKind, (n: number) => Promise<unknown>> = {
    select: (n) => select(own, n),
    commit: (n) => insert(own, n),
    'named-read': (n) => select(named, n),
    'named-insert': (n) => insert(named, n),
    'named-update': (n) => update(named, n),
    'repository-read': (n) => manager.findOneBy(row, { id: idOf(n) }),
    'repository-insert': (n) => manager.insert(entry, { a: text, b: String(n) }),
    'repository-update': (n) => manager.update(row, { id: idOf(n) }, { b: String(n) }),
  };
  return measure(statements[job.kind], job.seconds, job.callers);
});

async function open(url: string) {
  pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query('CREATE TABLE bench_row (id text PRIMARY KEY, a text, b bigint, c timestamptz)');
  await pool.query(
    `INSERT INTO bench_row SELECT 'row_' || n, repeat('x', 60), n, now() FROM generate_series(0, $1) n`,
    [ROWS - 1],
  );
  await pool.query('CREATE TABLE bench_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, b bigint)');
  await pool.query('VACUUM ANALYZE bench_row');
  // As Haldir opens its own.
  dataSource = new DataSource({
    type: 'postgres',
    url,
    poolSize: 10,
    entities: [row, entry],
    extra: { pipeline: true },
  });
  await dataSource.initialize();
  return {};
}

function idOf(n: number) {
  return `row_${n % ROWS}`;
}

function select(pool: pg.Pool, n: number) {
  return pool.query({ name: 'select', text: 'SELECT * FROM bench_row WHERE id = $1', values: [idOf(n)] });
}

function update(pool: pg.Pool, n: number) {
  return pool.query({ name: 'update', text: 'UPDATE bench_row SET b = $2 WHERE id = $1', values: [idOf(n), n] });
}

function insert(pool: pg.Pool, n: number) {
  return pool.query({
    name: 'insert',
    text: 'INSERT INTO bench_entry (a, b) VALUES ($1, $2)',
    values: ['x'.repeat(60), n],
  });
}

async function measure(statement: (n: number) => Promise<unknown>, seconds: number, callers: number) {
  let n = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) await statement(n++);
    }),
  );
  return { rate: (n * 1000) / (performance.now() - started), count: n };
}
