import { type SessionPlace, type SessionPlaces, type SessionsOf, type UpstreamSession } from './session-place.js';

/** What processes have in common of the sessions with one upstream, as the database has it. */
export class KeptSessions implements SessionPlaces {
  /** By the session of Haldir, or `shared`: the upstream's id, null for one that was lost. */
  readonly rows = new Map<string, { epoch: string; session: UpstreamSession | null }>();
  whoseFound: SessionsOf | null = null;
  readonly shared = this.of('shared');
  private epochs = 0;

  idAt(name: string): string | null | undefined {
    const row = this.rows.get(name);
    return row && (row.session?.sessionId ?? null);
  }

  of(name: string): SessionPlace {
    return {
      find: async () => {
        const row = this.rows.get(name);
        return { session: row?.session ?? null, lost: row?.session === null };
      },
      keep: async (begun) => {
        const kept = this.rows.get(name)?.session;
        if (kept) return kept;
        const epoch = `epoch ${++this.epochs}`;
        const session = { ...begun, epoch };
        this.rows.set(name, { epoch, session });
        return session;
      },
      lose: async ({ epoch }) => {
        const row = this.rows.get(name);
        if (row && row.epoch === epoch) row.session = null;
      },
      use: () => undefined,
    };
  }

  whose = async (): Promise<SessionsOf | null> => this.whoseFound;
  found = async (whose: SessionsOf): Promise<SessionsOf> => (this.whoseFound ??= whose);
}
