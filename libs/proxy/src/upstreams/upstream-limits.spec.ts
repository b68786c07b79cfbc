import { type HaldirConfig } from '@haldir/runtime';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { NO_LIMITS, type OwnLimits, UpstreamLimits } from './upstream-limits.js';

const upstreams = { timeoutMs: 30_000, longestMs: 300_000, maxAnswerBytes: 4_194_304, concurrency: 32 };
const limits = new UpstreamLimits({ upstreams } as HaldirConfig);
const own = (given: Partial<OwnLimits>): OwnLimits => ({ ...NO_LIMITS, ...given });

describe('what an upstream may take', () => {
  it('is what the settings say where it has nothing of its own, and less for its discovery', () => {
    expect(limits.of(NO_LIMITS)).toEqual({
      ...{ timeoutMs: 30_000, longestMs: 300_000, maxAnswerBytes: 4_194_304, concurrency: 32 },
      ...{ discoveryMs: 10_000, resourcesMs: 3_000, detectionMs: undefined },
    });
  });

  it.each([
    [2, { timeoutMs: 2_000, discoveryMs: 2_000, resourcesMs: 2_000, detectionMs: 2_000 }],
    [45, { timeoutMs: 45_000, discoveryMs: 45_000, resourcesMs: 45_000, detectionMs: 45_000 }],
    [120, { timeoutMs: 120_000, discoveryMs: 60_000, resourcesMs: 60_000, detectionMs: 120_000 }],
    // From a time when the settings allowed more.
    [600, { timeoutMs: 300_000, discoveryMs: 60_000 }],
  ])('with a timeout of %i s is so for its discovery, too, up to a minute', (timeoutSeconds, expected) => {
    expect(limits.of(own({ timeoutSeconds }))).toMatchObject(expected);
  });

  it.each([
    ['timeout', 'timeoutSeconds', 300, '300 seconds (UPSTREAM_MAX_CALL_SECONDS)'],
    ['max_answer_bytes', 'maxAnswerBytes', 4_194_304, '4194304 bytes (UPSTREAM_MAX_ANSWER_BYTES)'],
    ['concurrency', 'concurrency', 32, '32 calls (UPSTREAM_CONCURRENCY)'],
  ] as const)(
    'has no %s over what the operator allows, and the refusal names the setting',
    (field, of, most, words) => {
      expect(() => limits.vet({ [of]: most + 1 })).toThrow(`${field}: expected at most ${words}`);
      limits.vet(own({ [of]: most }));
      limits.vet(NO_LIMITS);
    },
  );

  it('is less where it was registered so, and no more when the settings allow less than they did then', () => {
    const less = { maxAnswerBytes: 2048, concurrency: 1 };
    expect(limits.of(own(less))).toMatchObject(less);
    const more = own({ maxAnswerBytes: 16_777_216, concurrency: 256 });
    expect(limits.of(more)).toMatchObject({ maxAnswerBytes: 4_194_304, concurrency: 32 });
    const error = limits.explain(new UpstreamUnreachable('too_large'), more, 1);
    expect(error.message).toMatch(/at most 4,194,304 bytes \(UPSTREAM_MAX_ANSWER_BYTES\)$/);
  });
});

describe('a failure is told with the number and where it is set', () => {
  it.each([
    ['timeout', NO_LIMITS, 30_000, 'within 30 s (UPSTREAM_TIMEOUT_SECONDS)'],
    ['timeout', own({ timeoutSeconds: 5 }), 5_000, 'within 5 s (its timeout)'],
    ['timeout', own({ timeoutSeconds: 5 }), 300_000, 'within 300 s (UPSTREAM_MAX_CALL_SECONDS)'],
    ['too_large', NO_LIMITS, 1, 'at most 4,194,304 bytes (UPSTREAM_MAX_ANSWER_BYTES)'],
    ['too_large', own({ maxAnswerBytes: 2048 }), 1, 'at most 2,048 bytes (its max_answer_bytes)'],
    ['reset', NO_LIMITS, 1, 'complete'],
  ] as const)('%s of %j after %i ms', (reason, of, tookMs, end) => {
    const error = limits.explain(new UpstreamUnreachable(reason, { sent: false }), of, tookMs);
    expect(error.message.endsWith(end)).toBe(true);
    expect(error).toMatchObject({ reason, sent: false });
  });

  it('unless more is known of it already', () => {
    const error = new UpstreamUnreachable('too_large', { detail: 'at most 200,000 values' });
    expect(limits.explain(error, NO_LIMITS, 1)).toBe(error);
    expect(limits.explainDiscovery(error, 1)).toBe(error);
  });

  it('of a discovery, by what gives it longer', () => {
    const error = limits.explainDiscovery(new UpstreamUnreachable('timeout'), 10_000);
    expect(error.message).toMatch(/within 10 s, for which the upstream can have a timeout of its own$/);
  });
});
