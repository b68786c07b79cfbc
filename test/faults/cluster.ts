import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  BOOTSTRAP_TOKEN,
  type Environment,
  startApi,
  startTestPostgres,
  startTestRedis,
  startWorker,
  testEnvironment,
  type TestPostgres,
  type TestRedis,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { type Random } from './random.js';

/** What can go wrong: a process or a server dies at once, or Redis forgets everything. */
export const FAULTS = ['api', 'worker', 'postgres', 'redis', 'flush'] as const;
export type Fault = (typeof FAULTS)[number];

/** A process that whoever runs Haldir starts again when it ends. */
class Member {
  private current: AppProcess | null = null;
  private said = '';
  private starting: Promise<void> | null = null;

  constructor(
    private readonly start: (environment: Environment) => Promise<AppProcess>,
    private readonly environment: Environment,
  ) {}

  get isUp(): boolean {
    return this.current !== null;
  }

  get isAlive(): boolean {
    try {
      return this.current !== null && process.kill(this.current.pid, 0);
    } catch {
      return false;
    }
  }

  /** Everything that any of its lives wrote. */
  output(): string {
    return this.said + (this.current?.output() ?? '');
  }

  /** Starts it, again and again while what it needs is away. */
  up(): Promise<void> {
    return (this.starting ??= this.tryUntilUp().finally(() => (this.starting = null)));
  }

  async kill(): Promise<void> {
    const { current } = this;
    this.current = null;
    await current?.kill();
    this.said += current?.output() ?? '';
  }

  private async tryUntilUp(): Promise<void> {
    for (let tries = 0; this.current === null; tries++) {
      try {
        this.current = await this.start(this.environment);
      } catch (error) {
        if (tries === 10) throw error;
        await pause(200);
      }
    }
  }
}

/** Two API and two worker processes with a PostgreSQL and, where there is one, a Redis of their own, all of which can die. */
export class Cluster {
  private readonly away = new Set<Fault>();
  readonly struck: Record<Fault, number> = { api: 0, worker: 0, postgres: 0, redis: 0, flush: 0 };

  private constructor(
    readonly urls: readonly string[],
    readonly databaseUrl: string,
    private readonly apis: readonly Member[],
    private readonly workers: readonly Member[],
    private readonly postgres: TestPostgres,
    private readonly redis: TestRedis | null,
  ) {}

  /** @param wanted.redis whether queues live in Redis, where this machine has one */
  static async start(wanted: { redis: boolean }): Promise<Cluster> {
    const [postgres, redis] = await Promise.all([
      startTestPostgres({ durable: true }),
      wanted.redis ? startTestRedis() : null,
    ]);
    const environment = await testEnvironment({
      DATABASE_OWNER_URL: postgres.url,
      REDIS_URL: redis?.url ?? '',
      HALDIR_BOOTSTRAP_TOKEN: BOOTSTRAP_TOKEN,
    });
    const ports = await Promise.all(Array.from({ length: 4 }, async () => String(await freePort())));
    const apis = ports.slice(0, 2).map((port) => new Member(startApi, { ...environment, PORT: port }));
    const workers = ports.slice(2).map((port) => new Member(startWorker, { ...environment, WORKER_PORT: port }));
    await Promise.all([...apis, ...workers].map((member) => member.up()));
    const urls = ports.slice(0, 2).map((port) => `http://127.0.0.1:${port}`);
    return new Cluster(urls, postgres.url, apis, workers, postgres, redis);
  }

  get faults(): Fault[] {
    return FAULTS.filter((fault) => this.redis !== null || (fault !== 'redis' && fault !== 'flush'));
  }

  get queues(): string {
    return this.redis ? 'Redis' : 'PostgreSQL';
  }

  /** Lets something happen, and has what died started again a moment later; answers when it is back. */
  async strike(fault: Fault, random: Random): Promise<void> {
    const away = random.between(0, 1_500);
    switch (fault) {
      case 'api':
      case 'worker': {
        const up = (fault === 'api' ? this.apis : this.workers).filter((member) => member.isUp);
        if (up.length === 0) return;
        this.struck[fault]++;
        const member = random.pick(up);
        await member.kill();
        await pause(away);
        return member.up();
      }
      case 'postgres':
      case 'redis':
        return this.strikeServer(fault, away);
      case 'flush':
        if (this.away.has('redis')) return;
        this.struck.flush++;
        return this.redis?.flush();
    }
  }

  private async strikeServer(fault: 'postgres' | 'redis', away: number): Promise<void> {
    if (this.away.has(fault)) return;
    this.away.add(fault);
    this.struck[fault]++;
    const server = fault === 'postgres' ? this.postgres : this.redis;
    await server?.kill();
    await pause(away);
    await server?.restart();
    this.away.delete(fault);
  }

  /** Has every process up. @throws Error for one that ended without being killed */
  async recover(): Promise<void> {
    await Promise.all([...this.apis, ...this.workers].map((member) => member.up()));
    for (const member of [...this.apis, ...this.workers]) {
      if (!member.isAlive) throw new Error(`a process ended by itself:\n${member.output().slice(-2_000)}`);
    }
  }

  /** What the processes logged as errors, beyond that a server was away; each kind once. */
  errors(): string[] {
    const lines = [...this.apis, ...this.workers].flatMap((member) => member.output().split('\n'));
    return [...new Set(lines.filter((line) => line.includes('"level":50') && !OUTAGE.test(line)).map(withoutTimes))];
  }

  async stop(): Promise<void> {
    await Promise.all([...this.apis, ...this.workers].map((member) => member.kill()));
    await Promise.all([this.postgres.stop(), this.redis?.stop()]);
  }
}

/** Words of errors that are expected while a server is away. */
const OUTAGE = /"code":"unavailable"|Unable to connect to the database/;

function withoutTimes(line: string): string {
  const { time: _time, request_id: _requestId, ...fact } = JSON.parse(line) as Record<string, unknown>;
  return JSON.stringify(fact);
}
