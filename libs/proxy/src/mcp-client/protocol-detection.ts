import { ELICITATION_META, HANDSHAKE_VERSIONS, isObject, type JsonObject, STATELESS_VERSION } from '@haldir/mcp';
import { inSession, twiceAtMost } from './after-failure.js';
import { NobodysError, RejectedUnprocessed } from './json-rpc-response.js';
import { CLIENT_INFO, headersFor, paramsFor, type ProtocolRevision, streamOf } from './mcp-protocol.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import { type EventStreamTransport } from './event-stream-transport.js';
import { type Answered } from './transport.js';
import { type UpstreamTransport } from './upstream-transport.js';

/** Of the time for finding out, what a server may take for a method it has perhaps never heard of. */
export const PROBE_SHARE = 1 / 3;

/**
 * Finds out how an upstream wants to be spoken to: the stateless revision, the handshake of the 2025 revisions (which it then
 * completes), the same over an event stream as in 2024-11-05, or JSON-RPC without any of these. "Plain" is what is left, and not yet proof that anything answers.
 *
 * @param before what it spoke last: a server that spoke with a handshake is first asked for another one
 * @throws UpstreamUnreachable when nothing is there, or it wants an authorization, or a revision Haldir does not speak
 */
export async function detectRevision(
  transport: UpstreamTransport,
  deadlineAt: number,
  before: ProtocolRevision | null = null,
  probe: Probe = { isAllowed: true, hasFailed: () => undefined },
): Promise<ProtocolRevision> {
  // One that has had sessions has them still: an outage does not make it another.
  const isBroken = (error: UpstreamUnreachable): boolean => before !== null && inSession(before) && isOutage(error);
  let isRefused = false;
  const onRefusal = (status: number): void => void (isRefused = MEANS_ANOTHER_TRANSPORT.includes(status));
  const shake = (): Promise<ProtocolRevision | null> => tryHandshake(transport, deadlineAt, isBroken, onRefusal);
  const first = before && streamOf(before) ? () => tryStream(transport, deadlineAt) : shake;
  const again = before?.kind === 'handshake' ? await first() : null;
  return (
    again ??
    (probe.isAllowed ? await tryStateless(transport, deadlineAt, probe) : null) ??
    (await shake()) ??
    (isRefused ? await tryStream(transport, deadlineAt) : null) ?? { kind: 'plain' }
  );
}

/** With these, a server of 2024-11-05 refuses a request sent to where its stream is (2025-03-26, "Backwards Compatibility"). */
const MEANS_ANOTHER_TRANSPORT = [400, 404, 405];

/** The question whether an upstream speaks the stateless revision. */
export interface Probe {
  isAllowed: boolean;
  /** Told when the upstream, or what stands before it, did not bear it: no answer, a broken connection, a 403. */
  hasFailed: () => void;
}

async function tryStateless(
  transport: UpstreamTransport,
  deadlineAt: number,
  { hasFailed }: Probe,
): Promise<ProtocolRevision | null> {
  const revision: ProtocolRevision = { kind: 'stateless' };
  const now = performance.now();
  const answer = await attempt(
    // A connection that was kept may break for other reasons than the question.
    twiceAtMost(() =>
      transport.ask({
        revision,
        method: 'server/discover',
        params: paramsFor(revision, {}),
        headers: headersFor(revision, 'server/discover'),
        deadlineAt: now + (deadlineAt - now) * PROBE_SHARE,
      }),
    ),
    (error) => {
      const isBad = isProbeFailure(error);
      if (isBad) hasFailed();
      return isBad;
    },
  );
  if (!answer || !isObject(answer.result)) return null;
  const versions = answer.result['supportedVersions'];
  if (!Array.isArray(versions) || !versions.includes(STATELESS_VERSION)) return null;
  return { ...revision, capabilities: capabilitiesIn(answer.result) };
}

async function tryHandshake(
  transport: UpstreamTransport,
  deadlineAt: number,
  isBroken: (error: UpstreamUnreachable) => boolean,
  onRefusal: (status: number) => void,
): Promise<ProtocolRevision | null> {
  const asking = hello(transport, deadlineAt).catch((error: unknown) => {
    if (error instanceof RejectedUnprocessed) onRefusal(error.status);
    throw busyError(error) ?? error;
  });
  const answer = await attempt(asking, () => false, isBroken);
  return answer && handshakeBy(transport, answer, deadlineAt);
}

/** @throws UpstreamUnreachable also when there is such a stream, but no handshake over it */
async function tryStream(transport: UpstreamTransport, deadlineAt: number): Promise<ProtocolRevision | null> {
  const now = performance.now();
  const stream = await transport.openStream(now + (deadlineAt - now) * PROBE_SHARE);
  if (!stream) return null;
  try {
    const revision = await handshakeBy(transport, await hello(transport, deadlineAt, { stream }), deadlineAt, stream);
    if (!revision) throw new UpstreamUnreachable('protocol');
    return revision;
  } catch (error) {
    stream.close();
    throw error instanceof RejectedUnprocessed ? error.outcome() : error;
  }
}

/** Of a server that has begun a session already, these say nothing of whether it begins another. */
const BUSY = [429, 502, 503, 504];

/**
 * Begins one more session with a server that has begun one.
 *
 * @param elicitation what it may ask in it, where it is a connector that has its server ask; nothing without
 * @returns null when the server refuses
 * @throws UpstreamUnreachable when it does not answer, not as MCP does, or is busy
 */
export async function beginSession(
  transport: UpstreamTransport,
  deadlineAt: number,
  elicitation?: JsonObject,
): Promise<ProtocolRevision | null> {
  try {
    return await handshakeBy(transport, await hello(transport, deadlineAt, { elicitation }), deadlineAt);
  } catch (error) {
    const busy = busyError(error);
    if (busy) throw busy;
    if (error instanceof RejectedUnprocessed || error instanceof UpstreamRpcError) return null;
    if (error instanceof UpstreamUnreachable && isRefusal(error)) return null;
    throw error;
  }
}

function isRefusal(error: UpstreamUnreachable): boolean {
  if (error.reason === 'protocol') return error.cause instanceof NobodysError;
  return error.reason === 'http_status' && (error.status ?? 0) >= 400 && !isBusy(error);
}

function isBusy({ status }: UpstreamUnreachable): boolean {
  return status !== null && BUSY.includes(status);
}

/** Of a server that has as many sessions as it may, and says so in an answer; null for any other error. It tells nothing of those it has. */
function busyError(error: unknown): UpstreamUnreachable | null {
  if (!(error instanceof UpstreamRpcError) || !BUSY.includes(error.status)) return null;
  return new UpstreamUnreachable('session', { sent: false, detail: `it begins no more for now (${error.status})` });
}

function isOutage(error: UpstreamUnreachable): boolean {
  return error.reason === 'http_status' && ((error.status ?? 0) >= 500 || isBusy(error));
}

function hello(
  transport: UpstreamTransport,
  deadlineAt: number,
  { stream, elicitation }: { stream?: EventStreamTransport; elicitation?: JsonObject | undefined } = {},
): Promise<Answered> {
  const [newest] = HANDSHAKE_VERSIONS;
  return transport.ask({
    revision: { kind: 'plain', ...(stream ? { stream } : {}) },
    method: 'initialize',
    params: {
      protocolVersion: newest,
      capabilities: {},
      clientInfo: CLIENT_INFO,
      ...(elicitation ? { _meta: { [ELICITATION_META]: elicitation } } : {}),
    },
    headers: headersFor({ kind: 'plain' }, 'initialize'),
    deadlineAt,
  });
}

async function handshakeBy(
  transport: UpstreamTransport,
  answer: Answered,
  deadlineAt: number,
  stream?: EventStreamTransport,
): Promise<ProtocolRevision | null> {
  if (!isObject(answer.result)) return null;
  const version = answer.result['protocolVersion'];
  if (typeof version !== 'string') return null;
  if (!HANDSHAKE_VERSIONS.some((known) => known === version)) throw new UpstreamUnreachable('protocol');
  const revision: ProtocolRevision = {
    kind: 'handshake',
    version,
    sessionId: sessionIdOf(answer),
    ...(stream ? { stream } : {}),
    capabilities: capabilitiesIn(answer.result),
  };
  await transport.notify(revision, 'notifications/initialized', deadlineAt);
  return revision;
}

function capabilitiesIn({ capabilities }: JsonObject): JsonObject {
  return isObject(capabilities) ? capabilities : {};
}

function sessionIdOf(answer: Answered): string | null {
  const value = answer.headers['mcp-session-id'];
  if (value === undefined) return null;
  // The specification allows visible ASCII only; anything else could not be sent back as a header.
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,1024}$/.test(value)) throw new UpstreamUnreachable('protocol');
  return value;
}

/** The answer; null when there is one but it shows that the upstream does not speak this way. */
async function attempt(
  asking: Promise<Answered>,
  meansNo: (error: UpstreamUnreachable) => boolean,
  meansNothing: (error: UpstreamUnreachable) => boolean = () => false,
): Promise<Answered | null> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof RejectedUnprocessed || error instanceof UpstreamRpcError) return null;
    if (error instanceof UpstreamUnreachable && !meansNothing(error)) {
      if (
        error.reason === 'protocol' ||
        (error.reason === 'http_status' && error.status !== null && error.status >= 400)
      )
        return null;
      if (meansNo(error)) return null;
    }
    throw error;
  }
}

/** The server is there, and can be asked in another way. */
function isProbeFailure({ reason, status, sent }: UpstreamUnreachable): boolean {
  return (sent && (reason === 'timeout' || reason === 'reset')) || (reason === 'unauthorized' && status === 403);
}
