import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { KeyRing, SealBroken, type SealedColumn, TenantKeyGone } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';
import { Clock, newId, Unavailable } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { Log } from '@haldir/runtime';
import {
  type SessionPlace,
  type SessionPlaces,
  type UpstreamSession,
  UpstreamUnreachable,
} from '../mcp-client/index.js';
import { type UpstreamAddress } from './upstream-address.js';
import { type KeptState, type SessionKey, UpstreamSessionRepository } from './upstream-session.repository.js';

/** A session that is nobody's in particular. */
const NOBODYS = '';
/** Of what an upstream says it can do, what is asked about later; any of it can be about changes of its list. */
const KEPT_CAPABILITIES = ['tools', 'resources', 'prompts', 'completions'] as const;
const NOTE_USE_EVERY_MS = 30_000;
/** In one statement. */
const MAX_USED = 1_000;

/** What of a session is sealed. */
interface SealedSession {
  /** Of the upstream: one that was changed in the database gets nothing. */
  url: string;
  id: string;
  version: string;
  capabilities?: JsonObject;
}

/**
 * Sessions with upstreams, kept for all processes: whichever one an agent comes to goes on with the session that another has
 * begun. Their ids are sealed, and bound to the session of Haldir and the registration that they are of.
 */
@Injectable()
export class UpstreamSessions implements OnApplicationShutdown {
  private used = new Map<string, { key: SessionKey; at: Date }>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly kept: UpstreamSessionRepository,
    private readonly keys: KeyRing,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {
    this.timer = setInterval(() => void this.noteUse(), NOTE_USE_EVERY_MS);
    this.timer.unref();
  }

  /** Where the sessions with a registered upstream are kept. */
  placesOf(address: UpstreamAddress): SessionPlaces {
    return {
      shared: this.placeOf(address, NOBODYS),
      of: (sessionId) => this.placeOf(address, sessionId),
      whose: () => unsent(this.kept.whose(address)),
      found: (whose) => unsent(this.kept.found(address, whose)),
    };
  }

  /** The session that everybody shares at the upstream that is registered so; null when it has none, or one for each. */
  async sharedAt({ tenantId, name, url }: UpstreamAddress): Promise<UpstreamSession | null> {
    const read = (): Promise<(SessionKey & KeptState) | null> => this.kept.shared(tenantId, name, url);
    const kept = await read();
    return kept && this.openOrReadAgain(kept, kept, url, read);
  }

  /** Keeps the session that an upstream was examined in, with its registration. */
  async keepExamined(tx: Tx, address: UpstreamAddress, session: UpstreamSession): Promise<void> {
    // It is the one of the registration before.
    if (session.epoch !== undefined) this.kept.in(tx).leave(address.tenantId, address.name, address.revision);
    await this.write(tx, address, NOBODYS, session);
  }

  /** The session with the upstream at that address; null when it does not open where it is, or is one with another. */
  async open(key: SessionKey, { epoch, sealed }: KeptState, at: string): Promise<UpstreamSession | null> {
    if (sealed === null) return null;
    try {
      const opened = (await this.keys.openFor(key.tenantId, sealed, placeInKeyRing(key))).toString();
      const { url, id, version, capabilities } = JSON.parse(opened) as SealedSession;
      if (url !== at) return null;
      return { kind: 'handshake', version, sessionId: id, epoch, ...(capabilities ? { capabilities } : {}) };
    } catch (error) {
      if (error instanceof TenantKeyGone || !(error instanceof SealBroken)) throw error;
      return null;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.noteUse();
  }

  private placeOf(address: UpstreamAddress, sessionId: string): SessionPlace {
    const key = keyOf(address, sessionId);
    const name = `${key.tenantId} ${sessionId} ${key.revision}`;
    return {
      find: () => unsent(this.find(key, address.url)),
      keep: async (begun) => {
        const kept = await unsent(
          this.transactions.run(key.tenantId, (tx) => this.write(tx, address, sessionId, begun)),
        );
        return kept ?? (await unsent(this.find(key, address.url))).session ?? begun;
      },
      lose: async ({ epoch }) => {
        if (epoch !== undefined) await unsent(this.kept.lose(key, epoch));
      },
      use: () => void this.used.set(name, { key, at: this.clock.now() }),
    };
  }

  private async find(key: SessionKey, url: string): Promise<{ session: UpstreamSession | null; lost: boolean }> {
    const state = await this.kept.find(key);
    if (!state) return { session: null, lost: false };
    const session = await this.openOrReadAgain(key, state, url, () => this.kept.find(key));
    // What somebody has edited is as good as lost.
    if (!session && state.sealed) await this.kept.lose(key, state.epoch);
    return { session, lost: !session };
  }

  /** One that was sealed anew since it was read is read again. */
  private async openOrReadAgain(
    key: SessionKey,
    state: KeptState,
    url: string,
    read: () => Promise<KeptState | null>,
  ): Promise<UpstreamSession | null> {
    try {
      return await this.open(key, state, url);
    } catch (error) {
      if (!(error instanceof TenantKeyGone)) throw error;
    }
    const again = await read();
    return again && this.open(key, again, url);
  }

  /** Null, and nothing written, when there is one that goes on. */
  private async write(
    tx: Tx,
    address: UpstreamAddress,
    ofSession: string,
    begun: UpstreamSession,
  ): Promise<UpstreamSession | null> {
    const key = keyOf(address, ofSession);
    const { sessionId: id, version } = begun;
    const capabilities = key.sessionId === NOBODYS ? { capabilities: capabilitiesToKeep(begun) } : {};
    const content = Buffer.from(JSON.stringify({ url: address.url, id, version, ...capabilities }));
    const sealed = await this.keys.sealFor(tx, key.tenantId, content, placeInKeyRing(key));
    const epoch = newId('ups');
    const isKept = await this.kept.in(tx).keep(key, { epoch, sealed }, this.clock.now());
    return isKept ? { ...begun, epoch } : null;
  }

  private async noteUse(): Promise<void> {
    const used = [...this.used.values()];
    this.used = new Map();
    try {
      for (let i = 0; i < used.length; i += MAX_USED) await this.kept.use(used.slice(i, i + MAX_USED));
    } catch (error) {
      // Noted with the next use, long before it counts as idle.
      this.log.warn({ event: 'proxy.session_use_not_noted', reason: (error as Error).message });
    }
  }
}

/** Where the database, or a key, is not there, the upstream is asked nothing. */
async function unsent<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    throw new UpstreamUnreachable('session', { sent: false, cause: error });
  }
}

function keyOf({ tenantId, name: upstream, revision }: UpstreamAddress, sessionId: string): SessionKey {
  return { tenantId, sessionId, upstream, revision };
}

function capabilitiesToKeep({ capabilities = {} }: UpstreamSession): JsonObject {
  const declared = KEPT_CAPABILITIES.flatMap((name) => {
    const capability = capabilities[name];
    return isObject(capability) ? [[name, { listChanged: capability['listChanged'] === true }]] : [];
  });
  return Object.fromEntries(declared) as JsonObject;
}

function placeInKeyRing({ tenantId, sessionId, upstream, revision }: SessionKey): string[] {
  return ['haldir.proxy.upstream-session.v1', tenantId, sessionId, upstream, revision];
}

/** As a rotation of keys finds them. */
export const SEALED_UPSTREAM_SESSIONS: SealedColumn = {
  table: 'upstream_session',
  column: 'sealed',
  key: [
    { name: 'session_id', type: 'text' },
    { name: 'upstream', type: 'text' },
    { name: 'revision', type: 'text' },
  ],
  placeOf: (tenantId, { session_id: sessionId = '', upstream = '', revision = '' }) =>
    placeInKeyRing({ tenantId, sessionId, upstream, revision }),
};
