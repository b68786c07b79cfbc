import { Injectable } from '@nestjs/common';
import { InvalidInput } from '@haldir/kernel';
import { HaldirConfig } from '@haldir/runtime';
import { type UpstreamUnreachable } from '../mcp-client/index.js';

/** What an upstream may take, where it differs from the settings; null where it does not. */
export interface OwnLimits {
  timeoutSeconds: number | null;
  maxAnswerBytes: number | null;
  /** Calls under way at once, in each process. */
  concurrency: number | null;
}

/** Of an upstream that goes by the settings. */
export const NO_LIMITS: OwnLimits = { timeoutSeconds: null, maxAnswerBytes: null, concurrency: null };

/** What an upstream may take. */
export interface Limits {
  timeoutMs: number;
  /** However often it says that it is at work. */
  longestMs: number;
  maxAnswerBytes: number;
  concurrency: number;
  /** For a question for what it has. */
  discoveryMs: number;
  /** For one for what it has besides tools. */
  resourcesMs: number;
  /** For finding out how to speak to it; undefined where it has no time of its own. */
  detectionMs: number | undefined;
}

/** Whoever registers an upstream waits so long at most, and so do those who check it. */
const MAX_DISCOVERY_MS = 60_000;
/** Of an upstream without a time of its own. */
const DISCOVERY_MS = 10_000;
/** What is listed besides tools does not hold up the tools for longer. */
const RESOURCES_MS = 3_000;

const NUMBERS = new Intl.NumberFormat('en-US');

/** What upstreams may take: what they were registered with, else the settings. */
@Injectable()
export class UpstreamLimits {
  constructor(private readonly config: HaldirConfig) {}

  of({ timeoutSeconds, maxAnswerBytes, concurrency }: OwnLimits): Limits {
    const { upstreams } = this.config;
    const { longestMs } = upstreams;
    const ownMs = timeoutSeconds === null ? null : Math.min(timeoutSeconds * 1000, longestMs);
    const timeoutMs = ownMs ?? upstreams.timeoutMs;
    const discoveryMs = Math.min(timeoutMs, ownMs === null ? DISCOVERY_MS : MAX_DISCOVERY_MS);
    return {
      timeoutMs,
      longestMs,
      discoveryMs,
      resourcesMs: ownMs === null ? Math.min(RESOURCES_MS, timeoutMs) : discoveryMs,
      detectionMs: ownMs ?? undefined,
      // Less than the settings say, never more: what a process keeps of answers is the operator's to say.
      maxAnswerBytes: Math.min(maxAnswerBytes ?? Infinity, upstreams.maxAnswerBytes),
      concurrency: Math.min(concurrency ?? Infinity, upstreams.concurrency),
    };
  }

  /** @throws InvalidInput when it is more than the settings allow */
  vet(own: Partial<OwnLimits>): void {
    const { longestMs, maxAnswerBytes, concurrency } = this.config.upstreams;
    const ceilings = [
      ['timeout', own.timeoutSeconds, longestMs / 1000, 'seconds (UPSTREAM_MAX_CALL_SECONDS)'],
      ['max_answer_bytes', own.maxAnswerBytes, maxAnswerBytes, 'bytes (UPSTREAM_MAX_ANSWER_BYTES)'],
      ['concurrency', own.concurrency, concurrency, 'calls (UPSTREAM_CONCURRENCY)'],
    ] as const;
    for (const [field, value, most, of] of ceilings) {
      if ((value ?? 0) > most) throw new InvalidInput(`${field}: expected at most ${most} ${of}`);
    }
  }

  /**
   * A failure of a call with the number that it went beyond, and where that is set.
   *
   * @param tookMs so long
   */
  explain(error: UpstreamUnreachable, own: OwnLimits, tookMs: number): UpstreamUnreachable {
    if (error.detail !== null) return error;
    const { timeoutMs, longestMs, maxAnswerBytes } = this.of(own);
    if (error.reason === 'too_large') {
      const setting = own.maxAnswerBytes === maxAnswerBytes ? 'its max_answer_bytes' : 'UPSTREAM_MAX_ANSWER_BYTES';
      return error.with(`at most ${NUMBERS.format(maxAnswerBytes)} bytes (${setting})`);
    }
    if (error.reason !== 'timeout') return error;
    if (tookMs >= longestMs) return error.with(`within ${longestMs / 1000} s (UPSTREAM_MAX_CALL_SECONDS)`);
    const setting = own.timeoutSeconds === null ? 'UPSTREAM_TIMEOUT_SECONDS' : 'its timeout';
    return error.with(`within ${timeoutMs / 1000} s (${setting})`);
  }

  /** The same of a question for what it has, that had so long. */
  explainDiscovery(error: UpstreamUnreachable, ms: number): UpstreamUnreachable {
    if (error.detail !== null || error.reason !== 'timeout') return error;
    return error.within(ms);
  }
}
