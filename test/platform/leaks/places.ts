import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type World } from '@haldir/test-support';

/** Every value of every column of every row of every table, with its `table.column`; bytes as what they are. */
export async function dumpDatabase({ sql }: Pick<World, 'sql'>): Promise<{ place: string; value: Buffer }[]> {
  const tables = await sql<{ schema: string; name: string }>(
    `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
  );
  const found: { place: string; value: Buffer }[] = [];
  for (const { schema, name } of tables) {
    const columns = await sql<{ column: string; type: string }>(
      `SELECT column_name AS column, data_type AS type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
      [schema, name],
    );
    const list = columns.map(({ column, type }) => (type === 'bytea' ? `"${column}"` : `"${column}"::text`)).join(', ');
    const rows = await sql<Record<string, string | Buffer | null>>(`SELECT ${list} FROM "${schema}"."${name}"`);
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        if (value !== null)
          found.push({
            place: `${schema === 'public' ? '' : `${schema}.`}${name}.${column}`,
            value: Buffer.from(value),
          });
      }
    }
  }
  return found;
}

/** Every key of a Redis with its value, as Redis itself would write it down. */
export async function dumpRedis(url: string): Promise<Buffer[]> {
  const redis = new Redis(url);
  const found: Buffer[] = [];
  for (const key of await redis.keys('*')) {
    found.push(
      Buffer.from(key),
      (await redis.dumpBuffer(key)) ?? Buffer.alloc(0),
      Buffer.from(await readAll(redis, key)),
    );
  }
  redis.disconnect();
  return found;
}

/** A value in clear: what `DUMP` answers may be compressed. */
async function readAll(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, 0, -1, 'WITHSCORES'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}

/** Every command that a Redis is given from now on: jobs that are done are in no dump. */
export async function monitorRedis(url: string): Promise<{ commands: string[]; stop(): void }> {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  const commands: string[] = [];
  monitor.on('monitor', (_time: string, command: string[]) => commands.push(JSON.stringify(command)));
  return {
    commands,
    stop: () => {
      monitor.disconnect();
      redis.disconnect();
    },
  };
}

/** The bytes of every file in a folder and below. */
export function filesIn(dir: string): { name: string; bytes: Buffer }[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(dir, name)).isFile())
    .map((name) => ({ name, bytes: readFileSync(join(dir, name)) }));
}

/** Sends bytes that are no request and answers what comes back. */
export function askRaw(url: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let written = '';
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (text: string) => (written += text));
    socket.on('error', () => undefined).on('close', () => resolve(written));
    setTimeout(() => socket.destroy(), 300);
  });
}
