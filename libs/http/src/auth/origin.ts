import { type FastifyRequest } from 'fastify';
import { type Origin } from '@haldir/kernel';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/** Where a request came from: the address of its connection, and the trace it names (https://www.w3.org/TR/trace-context/). */
export function originOf({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): Origin {
  const { traceparent } = headers;
  const traceId = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return { address: ip === '' ? null : ip, traceId: traceId ?? null };
}
