import { hash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  type Balancer,
  BOOTSTRAP_TOKEN,
  Client,
  eventually,
  type RunningCommand,
  startBalancer,
  startCli,
} from '@haldir/test-support';
import { Pool } from 'pg';
import { Cluster } from './cluster.js';
import { Random } from './random.js';

const SERVER = join(import.meta.dirname, '..', 'support', 'stdio-server.mjs');
/** Those who call at once. */
const CALLERS = 6;
const CALL_MS = 90_000;
/** A machine that is busy takes its time. */
const BACK_MS = 180_000;

/** After so many kills it is said how many there were. */
const PROGRESS = 20;

/** What a call was answered; `unknown` when its process died before it answered. */
type Answer = 'answered' | 'failed' | 'unknown';

/** Answers a line that says what was done and found, and each violation. */
export async function killAtRandom(kills: number, seed: number): Promise<{ summary: string; violations: string[] }> {
  const random = new Random(seed);
  const cluster = await Cluster.start({ redis: false });
  const balancer = await startBalancer(cluster.urls.map((url) => ({ url }) as AppProcess));
  const pool = new Pool({ connectionString: cluster.databaseUrl, max: 2 });
  // It dies with its server.
  pool.on('error', () => undefined);
  const run = new Run(cluster, balancer, pool, random);
  try {
    return await run.with(kills);
  } finally {
    run.stop();
    await pool.end();
    await balancer.stop();
    await cluster.stop();
  }
}

class Run {
  private readonly file = join(tmpdir(), `haldir-connector-faults-${process.pid}`);
  private readonly answers = new Map<string, Answer>();
  private readonly violations: string[] = [];
  private readonly struck = { connector: 0, api: 0, postgres: 0 };
  private connector: RunningCommand | null = null;
  private connectorKey = '';
  private isOver = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly balancer: Balancer,
    private readonly pool: Pool,
    private readonly random: Random,
  ) {}

  async with(kills: number): Promise<{ summary: string; violations: string[] }> {
    const { body: minted } = await new Client(this.balancer.url, null).post<{ key: string }>('/v1/keys', {
      ...{ tier: 'enterprise', bootstrap_token: BOOTSTRAP_TOKEN },
    });
    const tenant = new Client(this.balancer.url, minted.key);
    const session = await tenant.session({ agent_id: 'a', scopes: ['execute'], ttl: 86_400 });
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { connector: { upstream: 'up', secrets: [] } });
    this.connectorKey = body.key;
    this.connect();
    await eventually(() => this.mustAnswer(tenant, session, 'first'), BACK_MS, 250);
    const callers = Array.from({ length: CALLERS }, (_, i) => this.load(tenant, session, `c${i}`));
    const deck: (keyof Run['struck'])[] = [];
    for (let i = 0; i < kills; i++) {
      if (deck.length === 0) deck.push(...this.random.shuffled(['connector', 'api', 'postgres'] as const));
      await pause(this.random.between(100, 1_500));
      await this.strike(deck.pop() ?? 'api');
      if ((i + 1) % PROGRESS === 0 && i + 1 < kills)
        console.log(`${i + 1} of ${kills} kills, ${this.answers.size} calls`);
    }
    this.isOver = true;
    await Promise.all(callers);
    await this.cluster.recover();
    await eventually(() => this.mustAnswer(tenant, session, 'last'), BACK_MS, 250);
    await eventually(
      async () => expect((await this.pool.query('SELECT FROM started_call')).rowCount).toBe(0),
      BACK_MS,
      250,
    );
    await this.check();
    this.violations.push(...this.cluster.errors());
    return { summary: this.summary(kills), violations: this.violations };
  }

  stop(): void {
    this.isOver = true;
    this.connector?.child.kill('SIGKILL');
    rmSync(this.file, { force: true });
  }

  private connect(): void {
    const environment = { HALDIR_URL: this.balancer.url, HALDIR_API_KEY: this.connectorKey };
    const command = ['--', process.execPath, SERVER, 'handshake', this.file];
    this.connector = startCli(environment, 'connect', 'up', ...command);
  }

  private async strike(what: keyof Run['struck']): Promise<void> {
    if (what !== 'connector') {
      await this.cluster.strike(what, this.random);
      this.struck[what]++;
      return;
    }
    const { connector } = this;
    if (connector?.child.exitCode !== null)
      this.violations.push(`the connector ended by itself: ${connector?.said().slice(-500)}`);
    connector?.child.kill('SIGKILL');
    await connector?.ended;
    this.struck.connector++;
    await pause(this.random.between(0, 1_500));
    this.connect();
  }

  private async load(tenant: Client, session: string, name: string): Promise<void> {
    for (let i = 0; !this.isOver; i++) {
      await this.call(tenant, session, `${name}-${i}`);
      await pause(20);
    }
  }

  private async call(tenant: Client, session: string, label: string): Promise<Answer> {
    const by = new Client(this.random.pick(this.cluster.urls), tenant.key);
    const asked = { tool: 'up.echo', arguments: { text: label }, session_id: session };
    const said = await by
      .send<{ content?: { text?: string }[]; error?: string }>(
        ...(['POST', '/v1/proxy/call', asked, {}, AbortSignal.timeout(CALL_MS)] as const),
      )
      .catch(() => null);
    const answer =
      said === null ? 'unknown' : said.status === 200 && said.body.content?.[0]?.text === label ? 'answered' : 'failed';
    if (said?.status === 500) this.violations.push(`${label} was answered 500: ${JSON.stringify(said.body)}`);
    this.answers.set(label, answer);
    return answer;
  }

  private async mustAnswer(tenant: Client, session: string, name: string): Promise<void> {
    const label = `${name}-${this.answers.size}`;
    if ((await this.call(tenant, session, label)) !== 'answered') throw new Error(`${label} was not answered`);
  }

  /** Each call has one outcome, in the log, and the server saw it at most once. */
  private async check(): Promise<void> {
    const { rows } = await this.pool.query<{ details: string }>(
      `SELECT details FROM audit_entry WHERE action = 'tool_call'`,
    );
    const entries = rows.map(({ details }) => JSON.parse(details) as { sent?: boolean; arguments_sha256: string });
    const seen = this.seen();
    for (const label of seen.keys()) if (!this.answers.has(label)) this.violations.push(`${label} was never asked for`);
    for (const [label, answer] of this.answers) {
      const times = seen.get(label) ?? 0;
      const digest = hash('sha256', JSON.stringify({ text: label }));
      const own = entries.filter((entry) => entry.arguments_sha256 === digest);
      if (times > 1) this.violations.push(`${label} came to the server ${times} times`);
      if (answer === 'answered' && times !== 1) this.violations.push(`${label} was answered and never made`);
      if (own.length > 1) this.violations.push(`${label} is in the log ${own.length} times`);
      if (times > 0 && !own.some(({ sent }) => sent !== false))
        this.violations.push(`${label} was made, and the log has ${JSON.stringify(own)}`);
    }
  }

  private seen(): Map<string, number> {
    const seen = new Map<string, number>();
    for (const line of readFileSync(this.file, 'utf8').split('\n')) {
      const [, args] = /^call echo (.*)$/.exec(line) ?? [];
      if (args === undefined) continue;
      const { text } = JSON.parse(args) as { text: string };
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    return seen;
  }

  private summary(kills: number): string {
    const count = (answer: Answer): number => [...this.answers.values()].filter((one) => one === answer).length;
    return [
      `${kills} kills (connector ${this.struck.connector}, api ${this.struck.api}, postgres ${this.struck.postgres})`,
      `${this.answers.size} calls: ${count('answered')} answered, ${count('failed')} failed, ${count('unknown')} cut off`,
      `the server saw ${this.seen().size}`,
      `${this.violations.length} violations`,
    ].join('; ');
  }
}
