import { z } from 'zod';
import { type AnswerPart } from '../connectors/connector-answers.js';
import { type Claimed } from '../connectors/connector-claims.js';
import { HEARTBEAT_SECONDS, LEASE_SECONDS } from '../registry/connector-registration.js';

/** How long a claim waits at most. */
export const WAIT_SECONDS = 25;
const MAX_CLAIMED = 32;
const MAX_PART_BYTES = 256 * 1024;
const MAX_PARTS = 256;

const INSTANCE_EXPECTED = 'expected 16 to 32 letters or digits';
const FLAG_EXPECTED = 'expected true or false';
const VERSION_EXPECTED = 'expected a text of at most 64 characters';
const MAX_EXPECTED = `expected a whole number from 1 to ${MAX_CLAIMED}`;
const WAIT_EXPECTED = `expected a whole number of seconds from 0 to ${WAIT_SECONDS}`;
const PARTS_EXPECTED = `expected a list of 1 to ${MAX_PARTS} parts`;
const ID_EXPECTED = 'expected the id of an exchange';
const SEQ_EXPECTED = 'expected a whole number from 0 on';
const STATUS_EXPECTED = 'expected a status from 200 to 599, of the part 0 alone';
const HEADERS_EXPECTED = 'expected at most 64 headers by name, each a text of at most 8192 characters';
const DATA_EXPECTED = `expected a text of at most ${MAX_PART_BYTES} bytes`;
const FAILED_EXPECTED = 'expected reset or timeout';
const NAMES_EXPECTED = 'expected a list of 1 to 32 names of secrets';

const instance = z
  .string(INSTANCE_EXPECTED)
  .regex(/^[A-Za-z0-9]{16,32}$/, INSTANCE_EXPECTED)
  .describe('Chosen by the process at its start, new each time; ids of its sessions begin with it and a dot');

export const HoldLease = z.object({
  instance,
  per_session: z
    .boolean(FLAG_EXPECTED)
    .default(false)
    .describe('Whether each session has a server to itself; false where all share one'),
  version: z.string(VERSION_EXPECTED).max(64, VERSION_EXPECTED).optional().describe('Of the program'),
});
export type HoldLease = z.infer<typeof HoldLease>;

export const LeaseHeld = z.object({
  lease_seconds: z.int().describe('How long the lease lasts unless it is renewed'),
  heartbeat_seconds: z.int().describe('How often to renew it'),
  wait_seconds: z.int().describe('How long a claim waits at most'),
  max_part_bytes: z.int().describe('The largest part of an answer'),
});
export type LeaseHeld = z.infer<typeof LeaseHeld>;

export const LEASE_HELD: LeaseHeld = {
  lease_seconds: LEASE_SECONDS,
  heartbeat_seconds: HEARTBEAT_SECONDS,
  wait_seconds: WAIT_SECONDS,
  max_part_bytes: MAX_PART_BYTES,
};

export const EndLease = z.object({ instance });
export type EndLease = z.infer<typeof EndLease>;
export const LeaseEnded = z.object({ ended: z.literal(true) });
export type LeaseEnded = z.infer<typeof LeaseEnded>;

export const ClaimExchanges = z.object({
  instance,
  max: z
    .int(MAX_EXPECTED)
    .min(1, MAX_EXPECTED)
    .max(MAX_CLAIMED, MAX_EXPECTED)
    .default(MAX_CLAIMED)
    .describe('Exchanges at most'),
  wait_seconds: z
    .int(WAIT_EXPECTED)
    .min(0, WAIT_EXPECTED)
    .max(WAIT_SECONDS, WAIT_EXPECTED)
    .default(WAIT_SECONDS)
    .describe('How long to wait while there is none'),
});
export type ClaimExchanges = z.infer<typeof ClaimExchanges>;

export const ExchangesClaimed = z.object({
  exchanges: z
    .array(
      z.object({
        id: z.string(),
        deadline_ms: z
          .int()
          .describe('Milliseconds that its answer is waited for, from now; progress may put that off'),
        method: z.enum(['POST', 'GET', 'DELETE']),
        headers: z.record(z.string(), z.string()).describe('By name, in lower case'),
        body: z.string().nullable(),
      }),
    )
    .describe('Requests to the server; each is given away once'),
  cancelled: z.array(z.string()).describe('Ids of exchanges that nobody waits for any more'),
});
export type ExchangesClaimed = z.infer<typeof ExchangesClaimed>;

export function toExchangesClaimed({ exchanges, cancelled }: Claimed): ExchangesClaimed {
  return {
    exchanges: exchanges.map(({ id, deadlineMs, method, headers, body }) => ({
      id,
      deadline_ms: deadlineMs,
      method,
      headers,
      body,
    })),
    cancelled,
  };
}

/** What is wrong with one is said of all: an error names no member that its sender chose. */
const Headers = z
  .record(z.string(), z.any().meta({ type: 'string' }) as z.ZodType<string>, HEADERS_EXPECTED)
  .refine((headers) => Object.keys(headers).length <= 64, HEADERS_EXPECTED)
  .refine((headers) => Object.entries<unknown>(headers).every(isHeader), HEADERS_EXPECTED);

function isHeader([name, value]: [string, unknown]): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name) && typeof value === 'string' && value.length <= 8_192;
}

const Part = z
  .object({
    id: z.string(ID_EXPECTED).min(1, ID_EXPECTED).max(64, ID_EXPECTED),
    seq: z.int(SEQ_EXPECTED).min(0, SEQ_EXPECTED).max(1_000_000, SEQ_EXPECTED).describe('Counts from 0'),
    status: z
      .int(STATUS_EXPECTED)
      .min(200, STATUS_EXPECTED)
      .max(599, STATUS_EXPECTED)
      .optional()
      .describe('Of the answer; with the part 0'),
    headers: Headers.optional().describe('Of the answer; with the part 0'),
    data: z
      .string(DATA_EXPECTED)
      .refine((data) => Buffer.byteLength(data) <= MAX_PART_BYTES, DATA_EXPECTED)
      .default('')
      .describe('What has come of the body since'),
    last: z.boolean(FLAG_EXPECTED).default(false).describe('Whether the answer ends with it'),
    failed: z
      .enum(['reset', 'timeout'], FAILED_EXPECTED)
      .optional()
      .describe('How the answer broke off; it is the last part then'),
  })
  .refine(
    ({ seq, status, failed }) => (seq === 0 ? status !== undefined || failed !== undefined : status === undefined),
    {
      error: STATUS_EXPECTED,
      path: ['status'],
    },
  );

export const AnswerExchanges = z.object({
  instance,
  parts: z
    .array(Part, PARTS_EXPECTED)
    .min(1, PARTS_EXPECTED)
    .max(MAX_PARTS, PARTS_EXPECTED)
    .describe('Of several exchanges, those of one in their order'),
});
export type AnswerExchanges = z.infer<typeof AnswerExchanges>;

export const ExchangesAnswered = z.object({
  gone: z.array(z.string()).describe('Ids of exchanges that nobody waits for; their parts were dropped'),
});
export type ExchangesAnswered = z.infer<typeof ExchangesAnswered>;

export function toParts({ parts }: AnswerExchanges): AnswerPart[] {
  return parts.map(({ id, seq, status, headers, data, last, failed }) => ({
    id,
    seq,
    status,
    headers,
    data,
    last,
    failed,
  }));
}

export const AskSecrets = z.object({
  names: z
    .array(z.string(NAMES_EXPECTED).min(1, NAMES_EXPECTED).max(512, NAMES_EXPECTED), NAMES_EXPECTED)
    .min(1, NAMES_EXPECTED)
    .max(32, NAMES_EXPECTED)
    .describe('Of secrets that the key was given'),
});
export type AskSecrets = z.infer<typeof AskSecrets>;
export const SecretsTold = z.object({ values: z.record(z.string(), z.string()).describe('By name') });
export type SecretsTold = z.infer<typeof SecretsTold>;
