import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue, type MicroUsd, toMinorUnits } from '@haldir/kernel';

/** What makes two calls the same call. */
export interface ExactCall {
  tenantId: string;
  sessionId: string;
  upstream: { name: string; url: string };
  tool: string;
  arguments: Readonly<Record<string, unknown>>;
}

/** SHA-256 of the RFC 8785 JSON of the call: another session, tool, address, type or value of an argument is another call. */
export function digestOfCall(call: ExactCall): Buffer {
  return hash(
    'sha256',
    canonicalJson({
      arguments: call.arguments as JsonValue,
      session: call.sessionId,
      tenant: call.tenantId,
      tool: call.tool,
      upstream: call.upstream.name,
      url: call.upstream.url,
      v: '1',
    }),
    'buffer',
  );
}

/** SHA-256, hex, of the RFC 8785 JSON of a call's arguments: what the log says of them, since they may hold secrets. */
export function digestOfArguments(args: Readonly<Record<string, unknown>>): string {
  return hash('sha256', canonicalJson(args as JsonValue), 'hex');
}

/** What a column of 64 bits holds: nine trillion dollars. */
const MAX_MICROS = 9_000_000_000_000_000_000n;

/** Micro-dollars of an amount that an agent wrote: rounded up, never below zero, never beyond what can be kept. */
export function ceilMicroUsd(dollars: number): MicroUsd {
  if (!(dollars > 0)) return 0n as MicroUsd;
  if (dollars >= 9_000_000_000_000) return MAX_MICROS as MicroUsd;
  const micros = toMinorUnits(dollars, 6) ?? BigInt(Math.ceil(dollars * 1_000_000));
  return micros as MicroUsd;
}
