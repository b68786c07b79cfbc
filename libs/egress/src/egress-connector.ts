import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { withDeadline } from '@haldir/kernel';
import { connectFailure, EgressFailed, EgressRefused } from './egress.errors.js';
import type { EgressPolicy } from './egress-policy.js';

/** Every address a host name has. May reject, or never answer: it is given a deadline. */
export type Resolver = (hostname: string) => Promise<string[]>;

/** Where to connect. `address` was checked; `host` is only for TLS and the `Host` header. */
export interface ConnectTarget {
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
  /** Host name and port as in the URL. */
  readonly host: string;
  /** Name for SNI and the certificate check; null when the URL holds an address. */
  readonly servername: string | null;
}

/** Makes one connection, TLS included, to exactly `target.address`. */
export type Connector = (target: ConnectTarget) => Promise<Socket>;

export interface ConnectLimits {
  /** Time for resolving a name. */
  readonly dnsTimeoutMs: number;
  /** Time for one address; several addresses are tried in turn. */
  readonly connectTimeoutMs: number;
}

/** Addresses of one name that are tried before giving up. */
const MAX_ATTEMPTS = 4;

/** Asks the operating system, so `/etc/hosts` and search domains work as everywhere on the machine. */
export const systemResolver: Resolver = async (hostname) => {
  const answers = await lookup(hostname, { all: true, verbatim: true });
  return answers.map(({ address }) => address);
};

export function tcpConnector(connectTimeoutMs: number): Connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false });
  return ({ address, port, secure, host, servername }) =>
    new Promise((resolve, reject) => {
      connect(
        {
          hostname: address,
          host,
          port: String(port),
          protocol: secure ? 'https:' : 'http:',
          ...(servername === null ? {} : { servername }),
        },
        (...[error, socket]) => {
          if (error) reject(error);
          else resolve(socket);
        },
      );
    });
}

/**
 * Resolves `hostname` within the deadline and answers its addresses once every one of them is allowed. A name with one
 * forbidden address is refused whole: which of them a peer would use is not ours to bet on.
 *
 * @throws EgressRefused when an address is not allowed
 * @throws EgressFailed (`dns`) when the name has no address or the answer is late
 */
export async function resolveChecked(
  policy: EgressPolicy,
  resolver: Resolver,
  hostname: string,
  dnsTimeoutMs: number,
): Promise<string[]> {
  const addresses = isIP(hostname) === 0 ? await resolveInTime(resolver, hostname, dnsTimeoutMs) : [hostname];
  if (addresses.length === 0) throw new EgressFailed('dns');
  if (!addresses.every((address) => policy.isAllowed(address))) throw new EgressRefused('address');
  return addresses;
}

async function resolveInTime(resolver: Resolver, hostname: string, timeoutMs: number): Promise<string[]> {
  try {
    return await withDeadline(resolver(hostname), { ms: timeoutMs, error: () => new Error('DNS lookup timed out') });
  } catch (error) {
    throw new EgressFailed('dns', { cause: error });
  }
}

/**
 * The connector of every pool: resolve, check every address, connect to a checked one, check the peer of the socket.
 * Names are resolved anew for each connection and what was checked is what is dialled, so a name that changes its mind
 * in between (DNS rebinding) gains nothing.
 */
export function guardedConnector(
  policy: EgressPolicy,
  resolver: Resolver,
  connector: Connector,
  limits: ConnectLimits,
): buildConnector.connector {
  const connect = async (options: buildConnector.Options): Promise<Socket> => {
    const addresses = await resolveChecked(policy, resolver, options.hostname, limits.dnsTimeoutMs);
    const secure = options.protocol === 'https:';
    let failure: unknown;
    for (const address of addresses.slice(0, MAX_ATTEMPTS)) {
      try {
        const socket = await connector({
          address,
          port: options.port === '' ? (secure ? 443 : 80) : Number(options.port),
          secure,
          host: options.host ?? options.hostname,
          servername: isIP(options.hostname) === 0 ? options.hostname : null,
        });
        return checkedPeer(policy, socket);
      } catch (error) {
        if (error instanceof EgressRefused) throw error;
        failure = error;
      }
    }
    throw connectFailure(failure);
  };
  return (options, callback) => {
    connect(options).then(
      (socket) => {
        callback(null, socket);
      },
      (error: unknown) => {
        callback(connectFailure(error), null);
      },
    );
  };
}

function checkedPeer(policy: EgressPolicy, socket: Socket): Socket {
  if (socket.remoteAddress === undefined) {
    socket.destroy();
    throw new EgressFailed('connect');
  }
  if (!policy.isAllowed(socket.remoteAddress)) {
    socket.destroy();
    throw new EgressRefused('address');
  }
  return socket;
}
