import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { type Transactions } from '@haldir/database';
import { haldirActor } from '@haldir/kernel';
import { cli, type Client, eventually, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

export interface Detail {
  evidence_id: string;
  state: 'queued' | 'running' | 'done' | 'failed';
  progress: { done: number; total: number | null };
  size: number;
  sha256: string;
  reason: string | null;
  download_path: string | null;
}

/** A folder that is there for as long as the test. */
export function temporary(): { dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'haldir-evidence-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Asks for a package; answers its id. */
export async function request(client: Client, period: Record<string, unknown> = { from: 0 }): Promise<string> {
  const { status, body } = await client.post<Detail>('/v1/evidence', period);
  if (status !== 202) throw new Error(`no evidence: ${status} ${JSON.stringify(body)}`);
  return body.evidence_id;
}

/** Once it is made, or was not. */
export function ended(client: Client, id: string, withinMs = 120_000): Promise<Detail> {
  return eventually(
    async () => {
      const { body } = await client.get<Detail>(`/v1/evidence/${id}`);
      if (body.state !== 'done' && body.state !== 'failed') throw new Error(`it is ${JSON.stringify(body)}`);
      return body;
    },
    withinMs,
    100,
  );
}

export async function download(client: Client, id: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${client.url}/v1/evidence/${id}/download`, {
    headers: { authorization: `Bearer ${client.key ?? ''}`, ...headers },
  });
}

/** Downloads it, and has the command line check it with the log's key alone. */
export async function verified(
  client: Client,
  id: string,
  dir: string,
): Promise<{ file: string; code: number | null; stdout: string }> {
  const file = join(dir, `${id}.zip`);
  writeFileSync(file, Buffer.from(await (await download(client, id)).arrayBuffer()));
  const key = String((await client.get('/v1/audit/log-key')).body['verifier_key']);
  const { code, stdout } = await cli({}, 'evidence', 'verify', file, '--key', key);
  return { file, code, stdout };
}

/** What another program than ours finds in the package. */
export function unzip(file: string, dir: string): void {
  const { status, stdout, stderr } = spawnSync('unzip', ['-q', '-o', file, '-d', dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`unzip: ${stdout}${stderr}`);
}

/** Appends through Haldir's own writer, on one connection. */
export async function fill(world: World, tenantId: string, count: number): Promise<void> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  await db.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{"${tenantId}"}`]);
  const query = async ({ text }: { text: string }, values: unknown[]): Promise<unknown[]> =>
    (await db.query(text, values)).rows as unknown[];
  const log = new AuditLog(new AuditLogRepository({ query } as unknown as Transactions), { now: () => new Date() });
  const entry = { source: 'agent', sessionId: 'ses_x', agentId: 'agent', tool: 'browser', action: 'open' } as const;
  for (let i = 0; i < count; i += 2000) {
    const details = (j: number): string => JSON.stringify({ url: `https://example.com/${i + j}`, status: 200 });
    await Promise.all(
      Array.from({ length: Math.min(2000, count - i) }, (_, j) =>
        log.append(haldirActor(tenantId), { ...entry, details: details(j) }),
      ),
    );
  }
  await db.end();
}
