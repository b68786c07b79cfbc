import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client } from './client.js';
import { cli } from './cli.js';

/** What `haldir audit verify` says of an export of the tenant's log. */
export async function verifiedExport(tenant: Client): Promise<Record<string, unknown>> {
  const dir = mkdtempSync(join(tmpdir(), 'haldir-signed-'));
  try {
    const { body: key } = await tenant.get<{ verifier_key: string }>('/v1/audit/log-key');
    writeFileSync(join(dir, 'audit.jsonl'), (await tenant.get<string>('/v1/audit/export')).body);
    const { stdout } = await cli({}, ...['audit', 'verify', join(dir, 'audit.jsonl'), '--key', key.verifier_key, '--json']);
    return JSON.parse(stdout) as Record<string, unknown>;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
} // prettier-ignore
