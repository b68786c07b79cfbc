import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { type Balancer, startBalancer, startConformanceUpstream, startWorld, type World } from '@haldir/test-support';

let world: World;
let upstream: { url: string; stop(): Promise<void> };
let balancer: Balancer;

beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  upstream = await startConformanceUpstream();
  const tenant = await world.newTenant();
  const registered = await tenant.post('/v1/proxy/upstreams', { name: 'suite', url: upstream.url, prefix: false });
  expect(registered.body).toMatchObject({ healthy: true });
  const session = await tenant.session({ agent_id: 'suite', scopes: ['execute'] });
  // The suite brings no credentials of its own.
  balancer = await startBalancer(world.apis, { authorization: `Bearer ${tenant.key}`, 'x-session-id': session });
});
afterAll(async () => {
  await balancer.stop();
  await upstream.stop();
  await world.stop();
});

/** Of `server-stateless`, what fails for want of the tools by which the suite has a server change its lists. */
const WITHOUT_ITS_TOOLS = ['prompts', 'tools'].map(
  (list) => `sep-2575-server-sends-${list}-list-changed-on-subscription`,
);

/** Runs the official suite; what it says when something passes or fails that should not, and what failed of `server-stateless`. */
async function run(revision: string): Promise<{ code: number; said: string; stateless: string[] }> {
  const results = mkdtempSync(join(tmpdir(), 'haldir-conformance-'));
  const folder = join(import.meta.dirname, 'conformance');
  const suite = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/dist/index.js');
  const child = spawn(
    process.execPath,
    [
      ...['--import', join(folder, 'old-node.mjs'), suite, 'server', '--url', `${balancer.url}/mcp`],
      ...['--requirements', revision, '--expected-failures', join(folder, `${revision}.yml`), '-o', results],
    ],
    { cwd: results, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? -1))),
  ]);
  const failures = failedChecks(results);
  rmSync(results, { recursive: true, force: true });
  const verdict = out.slice(out.lastIndexOf('Total:'));
  const stateless = failures.flatMap((failure) => /^server-stateless:(\S+)/.exec(failure)?.[1] ?? []);
  return { code, said: [verdict, err, ...failures].join('\n'), stateless };
}

interface Check {
  id: string;
  status: string;
  errorMessage?: string;
}

/** Every check that did not pass, expected or not, with its reason. */
function failedChecks(results: string): string[] {
  return readdirSync(results)
    .sort()
    .flatMap((folder) =>
      (JSON.parse(readFileSync(join(results, folder, 'checks.json'), 'utf8')) as Check[])
        .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
        .map(({ id, errorMessage }) => `${folder.replace(/^server-|-\d{4}-.*$/g, '')}:${id} ${errorMessage ?? ''}`),
    );
}

it.each(['2026-07-28', '2025-11-25'])(
  'fails of the official suite for %s exactly what is written down',
  async (revision) => {
    // It gives some answers half a second, which a machine that is busy with other tests may take: what fails every time is a failure.
    const expected = { code: 0, stateless: revision === '2026-07-28' ? WITHOUT_ITS_TOOLS : [] };
    let { said, ...found } = await run(revision);
    for (let again = 0; again < 2 && !isDeepStrictEqual(found, expected); again++)
      ({ said, ...found } = await run(revision));
    expect(found, said).toEqual(expected);
  },
  360_000,
);
