import { testDatabase } from '@haldir/test-support';
import { Client, Pool } from 'pg';
import { tolerateLostConnections } from './lost-connections.js';

it('a connection that is lost while it is lent out fails what is sent on it, and not the process', async () => {
  const connectionString = await testDatabase();
  const pool = new Pool({ connectionString, max: 1 });
  tolerateLostConnections(pool);
  pool.on('error', () => undefined);
  const other = new Client({ connectionString });
  await other.connect();
  for (let i = 0; i < 3; i++) {
    const client = await pool.connect();
    await client.query('BEGIN');
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const lost = new Promise((resolve) => client.once('end', resolve));
    await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await lost;
    await expect(client.query('COMMIT')).rejects.toThrow();
    client.release();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  }
  await other.end();
  await pool.end();
});
