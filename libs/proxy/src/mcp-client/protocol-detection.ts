import { HANDSHAKE_VERSIONS, isObject, type JsonObject, STATELESS_VERSION } from '@haldir/mcp';
import { inSession, twiceAtMost } from './after-failure.js';
import { type Answered, type JsonRpcTransport } from './json-rpc-transport.js';
import { NobodysError, RejectedUnprocessed } from './json-rpc-response.js';
import { CLIENT_INFO, headersFor, paramsFor, type ProtocolRevision } from './mcp-protocol.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';

/** Of the time for finding out, what a server may take for a method it has perhaps never heard of. */
export const PROBE_SHARE = 1 / 3;
export const METHOD_NOT_FOUND = -32601;

/**
 * Finds out how an upstream wants to be spoken to: the stateless revision, the handshake of the 2025 revisions (which it then
 * completes), or JSON-RPC without either. "Plain" is what is left, and not yet proof that anything answers.
 *
 * @param before what it spoke last: a server that spoke with a handshake is first asked for another one
 * @throws UpstreamUnreachable when nothing is there, or it wants an authorization, or a revision Haldir does not speak
 */
export async function detectRevision(
  transport: JsonRpcTransport,
  deadlineAt: number,
  before: ProtocolRevision | null = null,
  probe: Probe = { isAllowed: true, hasFailed: () => undefined },
): Promise<ProtocolRevision> {
  // One that has had sessions has them still: an outage does not make it another.
  const isBroken = (error: UpstreamUnreachable): boolean => before !== null && inSession(before) && isOutage(error);
  const again = before?.kind === 'handshake' ? await tryHandshake(transport, deadlineAt, isBroken) : null;
  return (
    again ??
    (probe.isAllowed ? await tryStateless(transport, deadlineAt, probe) : null) ??
    (await tryHandshake(transport, deadlineAt, isBroken)) ?? { kind: 'plain' }
  );
}

/** The question whether an upstream speaks the stateless revision. */
export interface Probe {
  isAllowed: boolean;
  /** Told when the upstream, or what stands before it, did not bear it: no answer, a broken connection, a 403. */
  hasFailed: () => void;
}

async function tryStateless(
  transport: JsonRpcTransport,
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
  transport: JsonRpcTransport,
  deadlineAt: number,
  isBroken: (error: UpstreamUnreachable) => boolean,
): Promise<ProtocolRevision | null> {
  const answer = await attempt(hello(transport, deadlineAt), () => false, isBroken);
  return answer && handshakeBy(transport, answer, deadlineAt);
}

/** Of a server that has begun a session already, these say nothing of whether it begins another. */
const BUSY = [429, 502, 503, 504];

/**
 * Begins one more session with a server that has begun one.
 *
 * @returns null when the server refuses
 * @throws UpstreamUnreachable when it does not answer, not as MCP does, or is busy
 */
export async function beginSession(transport: JsonRpcTransport, deadlineAt: number): Promise<ProtocolRevision | null> {
  try {
    return await handshakeBy(transport, await hello(transport, deadlineAt), deadlineAt);
  } catch (error) {
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

function isOutage(error: UpstreamUnreachable): boolean {
  return error.reason === 'http_status' && ((error.status ?? 0) >= 500 || isBusy(error));
}

function hello(transport: JsonRpcTransport, deadlineAt: number): Promise<Answered> {
  const [newest] = HANDSHAKE_VERSIONS;
  return transport.ask({
    revision: { kind: 'plain' },
    method: 'initialize',
    params: { protocolVersion: newest, capabilities: {}, clientInfo: CLIENT_INFO },
    headers: headersFor({ kind: 'plain' }, 'initialize'),
    deadlineAt,
  });
}

async function handshakeBy(
  transport: JsonRpcTransport,
  answer: Answered,
  deadlineAt: number,
): Promise<ProtocolRevision | null> {
  if (!isObject(answer.result)) return null;
  const version = answer.result['protocolVersion'];
  if (typeof version !== 'string') return null;
  if (!HANDSHAKE_VERSIONS.some((known) => known === version)) throw new UpstreamUnreachable('protocol');
  const revision: ProtocolRevision = {
    ...{ kind: 'handshake', version, sessionId: sessionIdOf(answer) },
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
