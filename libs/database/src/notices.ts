import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { HaldirConfig, Log } from '@haldir/runtime';
import { Client } from 'pg';
import { Transactions } from './transactions.js';

const RETRY_MS = 1_000;
/** A connection that is lost without a word, as behind a firewall that forgets it, is found out within these together. */
const LOOK_EVERY_MS = 5_000;
const LOOK_TAKES_MS = 3_000;
/** How long the end of the process waits for that of the connection. */
const END_TAKES_MS = 1_000;
/** PostgreSQL takes fewer than 8,000 bytes at once; in Base64 this is 7,600. */
const PART_BYTES = 5_700;

/** The parts of a text are heard together and in their order. */
const notify = {
  name: 'haldir.notify.v1',
  text: 'SELECT pg_notify($1, part) FROM unnest($2::text[]) WITH ORDINALITY AS p(part, place) ORDER BY place',
};

/**
 * Texts from process to process over PostgreSQL's LISTEN and NOTIFY. Every process that listens at the moment hears them, the
 * sender included; nobody keeps them, so they are for what may get lost without harm. So does any role of the database: what a
 * tenant would not have others read has to be sealed.
 */
@Injectable()
export class Notices implements OnApplicationShutdown {
  private readonly hearers = new Map<string, { hear: (text: string) => void; listening: () => void }>();
  /** What has come of a text whose last part has not; parts of two texts never mix. */
  private parts: string[] = [];
  private connection: Client | null = null;
  private isListening = false;
  private retry: NodeJS.Timeout | null = null;
  private isDeaf = false;
  private looks: NodeJS.Timeout | null = null;
  private ending = false;

  constructor(
    private readonly config: HaldirConfig,
    private readonly transactions: Transactions,
    private readonly log: Log,
  ) {}

  /**
   * Has `hear` called with each text that is sent on the channel, over a connection of its own that is made
   * again whenever it is lost. Resolves once it listens, or could not at first.
   *
   * @param listening called when it listens, after which nothing is lost, and again after what may have been lost meanwhile
   */
  async listen(channel: string, hear: (text: string) => void, listening: () => void = () => undefined): Promise<void> {
    this.hearers.set(channel, { hear, listening });
    this.looks ??= setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    if (this.connection) await listenOn(this.connection, channel).catch(() => undefined);
    else await this.connect();
  }

  /** @throws Unavailable when the database cannot be reached */
  async send(channel: string, text: string): Promise<void> {
    await this.transactions.queryAll(notify, [channel, noticeParts(text)]);
  }

  /** After the last request was answered: until then, others may have something to say about it. */
  async onApplicationShutdown(): Promise<void> {
    this.ending = true;
    if (this.retry) clearTimeout(this.retry);
    if (this.looks) clearInterval(this.looks);
    const { connection } = this;
    if (!connection) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, END_TAKES_MS);
      void connection
        .end()
        .catch(() => undefined)
        .finally(() => {
          clearTimeout(limit);
          resolve();
        });
    });
  }

  private async connect(): Promise<void> {
    const { url } = this.config.database;
    const connection = new Client({
      connectionString: url,
      application_name: 'haldir',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.connection = connection;
    // After an error the connection ends, too.
    connection.on('error', () => undefined);
    connection.once('end', () => {
      if (connection === this.connection) this.isListening = false;
      this.connectLater(connection);
    });
    connection.on('notification', ({ channel, payload = '' }) => this.take(channel, payload));
    this.parts = [];
    try {
      await connection.connect();
      for (const channel of this.hearers.keys()) await listenOn(connection, channel);
      if (this.isDeaf) this.log.info({ event: 'notices.listening' });
      this.isDeaf = false;
      this.isListening = true;
      for (const { listening } of this.hearers.values()) listening();
    } catch (error) {
      // Once, however often it is tried again.
      if (!this.isDeaf) this.log.warn({ event: 'notices.not_listening', reason: (error as Error).message });
      this.isDeaf = true;
      await connection.end().catch(() => undefined);
      this.connectLater(connection);
    }
  }

  /** Whether the connection is still there; one that does not say so in time is given up, and made anew. */
  private async look(): Promise<void> {
    const { connection } = this;
    if (!connection || !this.isListening) return;
    // Where a query is under way, this breaks the connection off.
    const limit = setTimeout(() => void connection.end().catch(() => undefined), LOOK_TAKES_MS);
    await connection.query('SELECT').catch(() => undefined);
    clearTimeout(limit);
  }

  /** Whoever may log in to the database can say anything here. */
  private take(channel: string, payload: string): void {
    const [, place, end, part = ''] = /^(\d{1,4})([+.])([A-Za-z0-9+/]*={0,2})$/.exec(payload) ?? [];
    if (Number(place) !== this.parts.length) this.parts = [];
    if (Number(place) !== this.parts.length) return;
    this.parts.push(part);
    if (end === '+') return;
    const text = Buffer.concat(this.parts.map((each) => Buffer.from(each, 'base64'))).toString();
    this.parts = [];
    try {
      this.hearers.get(channel)?.hear(text);
    } catch (error) {
      this.log.warn({ event: 'notices.not_understood', channel, reason: (error as Error).message });
    }
  }

  private connectLater(lost: Client): void {
    if (this.ending || this.retry || lost !== this.connection) return;
    this.retry = setTimeout(() => {
      this.retry = null;
      void this.connect();
    }, RETRY_MS);
    this.retry.unref();
  }
}

/** A text as `pg_notify` is given it, part by part in this order, by whoever sends one along with a statement of its own. */
export function noticeParts(text: string): string[] {
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += PART_BYTES) {
    const end = at + PART_BYTES >= bytes.length ? '.' : '+';
    // Numbered, because of two that are the same only one would be heard.
    parts.push(`${parts.length}${end}${bytes.subarray(at, at + PART_BYTES).toString('base64')}`);
  }
  return parts;
}

async function listenOn(connection: Client, channel: string): Promise<void> {
  await connection.query(`LISTEN ${connection.escapeIdentifier(channel)}`);
}
