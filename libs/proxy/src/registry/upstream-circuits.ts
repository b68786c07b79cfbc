import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Log, Metrics } from '@haldir/runtime';
import { LRUCache } from 'lru-cache';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { circuitPauseMs, type CircuitReason, circuitStatus } from '../upstreams/circuit.js';
import { CircuitRepository } from '../upstreams/circuit.repository.js';
import { type CalledUpstream } from '../upstreams/upstream-address.js';
import { UpstreamLimits } from '../upstreams/upstream-limits.js';
import { type CallSign, CallWindow, signOf } from './call-window.js';

/** How a call goes to its upstream: as one of many, or as the one that finds out whether it is back. */
export type Admission = 'usual' | 'probe';

/** What came of a call; `error` is null when the upstream answered, whatever it said. */
export interface NotedCall {
  admission: Admission;
  error: UpstreamUnreachable | null;
  tookMs: number;
}

const MAX_WINDOWS = 10_000;
/** Beside the time of the call, until somebody else may find out. */
const PROBE_GRACE_MS = 5_000;

/**
 * Leaves upstreams alone whose calls fail or are slow: each process counts its own calls, what one finds counts for all. Afterwards one
 * call is let through, and what comes of it closes the circuit or opens it for longer.
 */
@Injectable()
export class UpstreamCircuits {
  private readonly windows = new LRUCache<string, CallWindow>({ max: MAX_WINDOWS });

  constructor(
    private readonly circuits: CircuitRepository,
    private readonly limits: UpstreamLimits,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** What a call is told that is not worth securing: null where its upstream is not left alone. */
  refusal(upstream: CalledUpstream): UpstreamUnreachable | null {
    const now = this.clock.now();
    return circuitStatus(upstream, now) === 'open' ? refusalUntil(upstream, now) : null;
  }

  /** @throws UpstreamUnreachable for a call that is not sent, because the upstream is left alone or another is finding out */
  async admit(upstream: CalledUpstream): Promise<Admission> {
    const now = this.clock.now();
    const status = circuitStatus(upstream, now);
    if (status === 'closed') return 'usual';
    if (status === 'open') throw refusalUntil(upstream, now);
    const until = new Date(now.getTime() + this.limits.of(upstream).timeoutMs + PROBE_GRACE_MS);
    if (!(await this.circuits.claim(upstream, now, until)))
      throw refusalUntil({ ...upstream, circuitUntil: null }, now);
    this.metrics.countCircuit('half_open');
    return 'probe';
  }

  /** A call was not sent, because the upstream did not say whether what is known of it still holds. */
  async noteUnconfirmed(upstream: CalledUpstream, error: UpstreamUnreachable, tookMs: number): Promise<void> {
    const isProbe = circuitStatus(upstream, this.clock.now()) === 'half_open';
    // It has not taken the right to find out, and gives up nobody's.
    if (isProbe && this.signOf(upstream, error, tookMs) === 'none') return;
    await this.note(upstream, { admission: isProbe ? 'probe' : 'usual', error, tookMs });
  }

  /** What came of a call; the call itself is none the worse when that cannot be written down. */
  async note(upstream: CalledUpstream, call: NotedCall): Promise<void> {
    await this.learn(upstream, call).catch((failure: unknown) => {
      this.log.warn({ event: 'proxy.note_failed', upstream: upstream.name, reason: (failure as Error).message });
    });
  }

  private async learn(upstream: CalledUpstream, call: NotedCall): Promise<void> {
    const { admission, error, tookMs } = call;
    const sign = this.signOf(upstream, error, tookMs);
    if (admission === 'probe') {
      if (sign === 'good') return this.close(upstream);
      // It told nothing: the next call finds out.
      if (sign === 'none') return this.again(upstream, 0, upstream.circuitOpenings);
      return this.again(upstream, circuitPauseMs(upstream.circuitOpenings), upstream.circuitOpenings + 1);
    }
    const key = `${upstream.tenantId}/${upstream.name}/${upstream.revision}`;
    let window = this.windows.get(key);
    if (!window) this.windows.set(key, (window = new CallWindow()));
    const reason = window.add(sign, performance.now());
    if (reason) await this.open(upstream, reason);
  }

  private signOf(upstream: CalledUpstream, error: UpstreamUnreachable | null, tookMs: number): CallSign {
    return signOf(error?.reason ?? null, tookMs, this.limits.of(upstream).timeoutMs);
  }

  private async open(upstream: CalledUpstream, circuitReason: CircuitReason): Promise<void> {
    const circuitUntil = new Date(this.clock.now().getTime() + circuitPauseMs(0));
    if (!(await this.circuits.open(upstream, { circuitUntil, circuitReason, circuitOpenings: 1 }))) return;
    this.metrics.countCircuit('open');
    this.log.warn({ event: 'proxy.circuit_opened', upstream: upstream.name, reason: circuitReason });
  }

  private async again(upstream: CalledUpstream, pauseMs: number, circuitOpenings: number): Promise<void> {
    const circuitUntil = new Date(this.clock.now().getTime() + pauseMs);
    await this.circuits.prolong(upstream, { circuitUntil, circuitOpenings });
    if (pauseMs > 0) this.metrics.countCircuit('open');
  }

  private async close(upstream: CalledUpstream): Promise<void> {
    await this.circuits.close(upstream);
    this.metrics.countCircuit('closed');
    this.log.warn({ event: 'proxy.circuit_closed', upstream: upstream.name });
  }
}

function refusalUntil({ circuitUntil }: Pick<CalledUpstream, 'circuitUntil'>, now: Date): UpstreamUnreachable {
  const ms = circuitUntil === null ? null : Math.max(0, circuitUntil.getTime() - now.getTime());
  const detail = ms === null ? 'another call is finding out whether it is back' : `for ${Math.ceil(ms / 1000)} s more`;
  const circuit = ms === null ? ({ state: 'half_open' } as const) : ({ state: 'open', retryAfterMs: ms } as const);
  return new UpstreamUnreachable('circuit_open', { sent: false, detail, circuit });
}
