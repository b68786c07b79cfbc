// What a log of a million entries costs beside one of ten thousand. Each row's limit is the same requests at the shorter log.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { median } from '../row.js';
import { type World } from '../world.js';
import { type Request } from '../load.js';
import { type FilledLog, fillLog } from '../log-filler.js';
import { type Row } from '../row.js';
import { type Gate } from '../measurement.js';

const SHORT = 10_000;
const LONG = 1_000_000;
const EXPORTED = 100_000;
/** At the long log a request may take 1.15 times what it takes at the short one. */
const TARGET = 1 / 1.15;
const PROOF_MS = 10;
/** Of a log of up to 2^20 entries (RFC 9162, 2.1.3 and 2.1.4) */
const PROOF_HASHES: Record<string, number> = { audit_path: 20, consistency_path: 21 };
const VERIFIED_PER_SECOND = 70_000;
const REQUESTS = 500;

export const longLog = [
  atBothLengths('log-append', 'audit append at 1,000,000 entries', ({ tenant, sessions }, n) =>
    tenant.post('/v1/audit', {
      session_id: sessions[n % sessions.length],
      tool: 'tool-3',
      action: 'act',
      cost_usd: 0.01,
    }),
  ),
  atBothLengths(
    'log-query',
    'audit query at 1,000,000: session, agent, tool, flag, time',
    ({ tenant, sessions, until }, n) => {
      const filters = [
        `session_id=${sessions[n % sessions.length]}`,
        `agent_id=agent-${n % sessions.length}`,
        `tool=tool-${n % 20}`,
        'flagged=true',
        `until=${until - (n % 100)}`,
      ];
      return tenant.get(`/v1/audit?limit=20&${filters[n % filters.length]}`);
    },
  ),
  atBothLengths('log-spend', 'spend summary at 1,000,000 entries', ({ tenant, sessions }, n) =>
    tenant.get(`/v1/audit/spend${['', `?agent_id=agent-${n % sessions.length}`][n % 2]}`),
  ),
  atBothLengths(
    'log-inclusion',
    'inclusion proof at 1,000,000 entries',
    ({ tenant, entryIds }, n) => tenant.get(`/v1/audit/inclusion-proof/${entryIds[n % entryIds.length]}`),
    'audit_path',
  ),
  atBothLengths(
    'log-consistency',
    'consistency proof at 1,000,000 entries',
    ({ tenant, entries }, n) =>
      tenant.get(`/v1/audit/consistency-proof?first=${1 + ((n * 7919) % (entries - 1))}&second=${entries}`),
    'consistency_path',
  ),
  offlineVerification(),
];

const filled: WeakMap<World, Map<number, Promise<FilledLog>>> = new WeakMap();

/** @returns made once, for all rows */
function logOf(world: World, entries: number): Promise<FilledLog> {
  const logs = filled.get(world) ?? new Map();
  filled.set(world, logs);
  if (!logs.has(entries)) logs.set(entries, fillLog(world, entries));
  return logs.get(entries) as Promise<FilledLog>;
}

/** @param proof the member of the answer that holds the hashes, when it is a proof */
function atBothLengths(
  name: string,
  title: string,
  request: (log: FilledLog, n: number) => Request,
  proof?: string,
): Row {
  return {
    name,
    title,
    target: TARGET,
    prepare: async (world) => {
      const [short, long] = [await logOf(world, SHORT), await logOf(world, LONG)];
      const requests = (log: FilledLog) => Array.from({ length: REQUESTS }, (_, n) => request(log, n));
      return {
        measure: world.api(requests(long)).measure,
        limits: [{ name: `${name} at 10,000`, measure: world.api(requests(short)).measure }],
        finish: async () => ({
          gates: proof === undefined ? [] : await proofGates(world, long, requests(long), proof),
        }),
      };
    },
  };
}

async function proofGates(world: World, log: FilledLog, requests: Request[], proof: string): Promise<Gate[]> {
  const { p99 } = await world.load({ connections: 1, amount: REQUESTS, requests });
  const counts = await Promise.all(
    requests.slice(0, 50).map(async ({ path: asked }) => (await log.tenant.send('GET', asked))[proof].length),
  );
  const most = Math.max(...counts);
  const limit = PROOF_HASHES[proof] ?? 0;
  return [
    {
      claim: `one at a time, 99 of 100 take at most ${PROOF_MS} ms`,
      holds: p99 <= PROOF_MS,
      detail: `${p99.toFixed(1)} ms`,
    },
    { claim: `a proof has at most ${limit} hashes`, holds: most <= limit, detail: `${most}` },
  ];
}

function offlineVerification(): Row {
  return {
    name: 'log-verify',
    title: 'offline verification of 100,000 entries, entries',
    target: null,
    prepare: async (world) => {
      const log = await logOf(world, EXPORTED);
      const file = path.join(world.instance.dir, 'audit.jsonl');
      const response = await fetch(`${world.instance.url}/v1/audit/export`, { headers: log.tenant.headers });
      if (!response.ok || !response.body) throw new Error(`the export answered ${response.status}`);
      await pipeline(response.body, fs.createWriteStream(file));
      const { verifier_key: key } = await log.tenant.send('GET', '/v1/audit/log-key');
      const rates: number[] = [];
      return {
        measure: async () => {
          const started = performance.now();
          await verify(world.instance.root, file, key);
          const rate = (log.entries * 1000) / (performance.now() - started);
          rates.push(rate);
          return { rate, count: log.entries, cpu: {}, failures: [] };
        },
        limits: [],
        finish: async () => ({
          gates: [
            {
              claim: `at least ${VERIFIED_PER_SECOND.toLocaleString('en-US')} entries are checked in a second, start of the program included`,
              holds: median(rates) >= VERIFIED_PER_SECOND,
              detail: Math.round(median(rates)).toLocaleString('en-US'),
            },
          ],
        }),
      };
    },
  };
}

async function verify(root: string, file: string, key: string) {
  const program = path.join(root, 'dist', 'apps', 'cli', 'src', 'main.js');
  const child = spawn(process.execPath, [program, 'audit', 'verify', file, '--key', key], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`haldir audit verify ended with ${code ?? 'a signal'}`);
}
