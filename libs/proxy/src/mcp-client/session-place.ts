import { type ProtocolRevision } from './mcp-protocol.js';

/** A session of an upstream, as requests name it. */
export type UpstreamSession = Extract<ProtocolRevision, { kind: 'handshake' }>;

/** Where one session with an upstream is kept, for all processes. */
export interface SessionPlace {
  /** The one that goes on; `lost` when there was one that does not. */
  find(): Promise<{ session: UpstreamSession | null; lost: boolean }>;
  /** Keeps one that was begun. Of those that are begun at once one is kept, and answered to all who began one. */
  keep(begun: UpstreamSession): Promise<UpstreamSession>;
  /** It is over. One that was kept since then is not. */
  lose(over: UpstreamSession): Promise<void>;
  /** Notes that it is used now; never waits. */
  use(): void;
}

/** Whose sessions an upstream begins: nobody's, one for each who asks, or a single one for everybody. */
export type SessionsOf = 'none' | 'own' | 'shared';

/** Where the sessions with one upstream are kept. */
export interface SessionPlaces {
  /** Of discovery and health, and of everybody where there is no other. */
  readonly shared: SessionPlace;
  /** Of a session of Haldir. */
  of(sessionId: string): SessionPlace;
  /** Null while nobody has found out. */
  whose(): Promise<SessionsOf | null>;
  /** Notes what was found out; answers what holds, which is what was found out first. */
  found(whose: SessionsOf): Promise<SessionsOf>;
}
