// What the database alone can do for a program that does nothing else: one prepared SELECT by primary key, and one
// durable INSERT, each from 32 callers over 10 connections.
import pg from 'pg';
import { serve } from './child.js';

const ROWS = 1000;
let pool: pg.Pool | undefined;

serve({}, async (job: { open?: string; kind?: 'select' | 'commit'; seconds: number; callers: number }) => {
  if (job.open !== undefined) return open(job.open);
  if (!pool) throw new Error('not opened');
  return measure(pool, job.kind === 'select' ? select : insert, job.seconds, job.callers);
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
  return {};
}

function select(pool: pg.Pool, n: number) {
  return pool.query({ name: 'select', text: 'SELECT * FROM bench_row WHERE id = $1', values: [`row_${n % ROWS}`] });
}

function insert(pool: pg.Pool, n: number) {
  return pool.query({
    name: 'insert',
    text: 'INSERT INTO bench_entry (a, b) VALUES ($1, $2)',
    values: ['x'.repeat(60), n],
  });
}

async function measure(
  pool: pg.Pool,
  statement: (pool: pg.Pool, n: number) => Promise<unknown>,
  seconds: number,
  callers: number,
) {
  let n = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) await statement(pool, n++);
    }),
  );
  return { rate: (n * 1000) / (performance.now() - started), count: n };
}
