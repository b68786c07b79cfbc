import { HaldirError } from '@haldir/kernel';

/** Which rule of the egress policy a destination breaks. */
export type RefusalReason = 'url' | 'scheme' | 'userinfo' | 'port' | 'address';

const REFUSALS: Record<RefusalReason, string> = {
  url: 'expected an absolute http or https URL',
  scheme: 'expected an absolute http or https URL',
  userinfo: 'expected no user name or password',
  port: 'expected port 80, 443 or one from 1024 up',
  address: 'expected an address that is not loopback, private or otherwise reserved',
};

/** The destination is one that Haldir does not connect to. Nothing was sent. */
export class EgressRefused extends HaldirError {
  constructor(readonly reason: RefusalReason) {
    super('invalid', `url: ${REFUSALS[reason]}`, { code: 'egress_refused', details: { field: 'url' } });
  }
}

/** Why an outbound request failed; a closed set, fit for a column or a metric label. */
export type FailureReason =
  'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'too_large' | 'aborted' | 'encoding' | 'protocol';

const FAILURES: Record<FailureReason, string> = {
  dns: 'The host name could not be resolved',
  connect: 'The connection could not be made',
  tls: 'The TLS handshake failed',
  timeout: 'No complete answer arrived in time',
  reset: 'The connection was closed before the answer was complete',
  too_large: 'The answer was larger than allowed',
  aborted: 'The request was cancelled',
  encoding: 'The answer is in an encoding that is not read',
  protocol: 'The answer was not valid HTTP',
};

/** The request was allowed but did not end in a complete answer. The message is fixed per reason and quotes no peer. */
export class EgressFailed extends HaldirError {
  /** Whether any byte of the request may have left: false means the peer cannot have acted on it. */
  readonly sent: boolean;
  /** Which encoding, in words of ours. */
  readonly detail: string | null;

  constructor(
    readonly reason: FailureReason,
    { cause, sent = false, detail }: { cause?: unknown; sent?: boolean; detail?: string } = {},
  ) {
    super('bad_gateway', `${FAILURES[reason]}${detail === undefined ? '' : `: ${detail}`}`, {
      code: `egress_${reason}`,
      cause,
    });
    this.sent = sent;
    this.detail = detail ?? null;
  }
}

const RESET_CODES = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);
const TIMEOUT_CODES = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const TLS_CODES =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO$)/;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What a failed connection attempt means. */
export function connectFailure(error: unknown): EgressRefused | EgressFailed {
  if (error instanceof EgressRefused || error instanceof EgressFailed) return error;
  const code = codeOf(error);
  if (TLS_CODES.test(code)) return new EgressFailed('tls', { cause: error });
  return new EgressFailed(TIMEOUT_CODES.has(code) ? 'timeout' : 'connect', { cause: error });
}

/** What a request that failed after it was handed to the pool means. */
export function requestFailure(error: unknown, sent: boolean): EgressRefused | EgressFailed {
  if (error instanceof EgressRefused || error instanceof EgressFailed) return error;
  const code = codeOf(error);
  if (RESET_CODES.has(code)) return new EgressFailed('reset', { cause: error, sent });
  if (TIMEOUT_CODES.has(code)) return new EgressFailed('timeout', { cause: error, sent });
  return new EgressFailed('protocol', { cause: error, sent });
}
