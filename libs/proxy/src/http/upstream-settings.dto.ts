import { z } from 'zod';
import { type ShownSettings } from '../registry/upstream-registry.js';
import { type OwnLimits } from '../upstreams/upstream-limits.js';
import { SEPARATORS, type Separator } from '../upstreams/upstream.entity.js';
import { type UpstreamSettings, type UpstreamTerms } from '../upstreams/upstream-settings.js';

const MAX_AGE_EXPECTED = 'expected a whole number of seconds from 0 to 300';
const TIMEOUT_EXPECTED = 'expected a whole number of seconds from 1 to 600';
const ANSWER_EXPECTED = 'expected a whole number of bytes from 1024 to 16777216';
const CONCURRENCY_EXPECTED = 'expected a whole number of calls from 1 to 256';

const prefix = z
  .boolean('expected true or false')
  .describe('Whether agents are shown its tools with its name before theirs; false shows their own names');
const separator = z
  .enum(SEPARATORS, 'expected __ or .')
  .describe(
    'Between its name and that of a tool, as agents are shown them: __ makes names that the APIs of models take, . those of policies and the log. Calls are taken by either',
  );
const toolsMaxAge = z
  .int(MAX_AGE_EXPECTED)
  .min(0, MAX_AGE_EXPECTED)
  .max(300, MAX_AGE_EXPECTED)
  .describe(
    'A call asks the upstream for its tools again when the last answer is older (seconds); 0 before every call',
  );
const limits = {
  timeout: z
    .int(TIMEOUT_EXPECTED)
    .min(1, TIMEOUT_EXPECTED)
    .max(600, TIMEOUT_EXPECTED)
    .nullish()
    .describe(
      'How long it may take to answer a call or to be discovered (seconds), at most UPSTREAM_MAX_CALL_SECONDS; null is UPSTREAM_TIMEOUT_SECONDS. Progress begins it anew',
    ),
  max_answer_bytes: z
    .int(ANSWER_EXPECTED)
    .min(1024, ANSWER_EXPECTED)
    .max(16_777_216, ANSWER_EXPECTED)
    .nullish()
    .describe('The largest answer to a call or read, at most UPSTREAM_MAX_ANSWER_BYTES, which it is when null'),
  concurrency: z
    .int(CONCURRENCY_EXPECTED)
    .min(1, CONCURRENCY_EXPECTED)
    .max(256, CONCURRENCY_EXPECTED)
    .nullish()
    .describe(
      'Calls that each API process sends it at once, at most UPSTREAM_CONCURRENCY, which it is when null; others wait for their turn, as long as the timeout',
    ),
};

/** Of a registration. */
export const settings = {
  prefix: prefix.default(true),
  separator: separator.default('__'),
  tools_max_age: toolsMaxAge.default(20),
  ...limits,
};

type LimitsBody = z.infer<z.ZodObject<typeof limits>>;

interface TermsBody {
  prefix: boolean;
  separator: Separator;
  tools_max_age: number;
}

export function toUpstreamTerms({ prefix, separator, tools_max_age }: TermsBody): UpstreamTerms {
  return { prefixed: prefix, separator, toolsMaxAgeSeconds: tools_max_age };
}

export function toOwnLimits({ timeout, max_answer_bytes, concurrency }: LimitsBody): OwnLimits {
  return {
    timeoutSeconds: timeout ?? null,
    maxAnswerBytes: max_answer_bytes ?? null,
    concurrency: concurrency ?? null,
  };
}

export const ChangeUpstream = z.object({
  prefix: prefix.optional(),
  separator: separator.optional(),
  tools_max_age: toolsMaxAge.optional(),
  ...limits,
});
export type ChangeUpstream = z.infer<typeof ChangeUpstream>;

/** What is left out stays; a limit that is null is the settings' again. */
export function toChanges(body: ChangeUpstream): Partial<UpstreamSettings> {
  const { prefix, separator, tools_max_age, timeout, max_answer_bytes, concurrency } = body;
  return {
    ...(prefix !== undefined && { prefixed: prefix }),
    ...(separator !== undefined && { separator }),
    ...(tools_max_age !== undefined && { toolsMaxAgeSeconds: tools_max_age }),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
    ...(max_answer_bytes !== undefined && { maxAnswerBytes: max_answer_bytes }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

/** As they are, those of the settings included. */
export const shownSettings = {
  prefix: z.boolean().describe('Whether agents are shown its tools with its name before theirs'),
  separator: z.enum(SEPARATORS).describe('Between its name and that of a tool, as agents are shown them'),
  tools_max_age: z.int().describe('Seconds'),
  timeout: z.number().describe('How long a call of it may take (seconds), its own or that of the settings'),
  max_answer_bytes: z.int().describe('The largest answer to a call or read'),
  concurrency: z.int().describe('Calls that each API process sends it at once'),
};

export const UpstreamChanged = z.object({ name: z.string(), ...shownSettings });
export type UpstreamChanged = z.infer<typeof UpstreamChanged>;

export function toShownSettings({
  prefixed,
  separator,
  toolsMaxAgeSeconds,
  limits,
}: ShownSettings): Omit<UpstreamChanged, 'name'> {
  return {
    prefix: prefixed,
    separator,
    tools_max_age: toolsMaxAgeSeconds,
    timeout: limits.timeoutMs / 1000,
    max_answer_bytes: limits.maxAnswerBytes,
    concurrency: limits.concurrency,
  };
}
