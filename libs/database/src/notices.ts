import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HaldirConfig, Log } from '@haldir/runtime';
import { Client } from 'pg';
import { Transactions } from './transactions.js';

const RETRY_MS = 1_000;

const notify = { name: 'haldir.notify.v1', text: 'SELECT pg_notify($1, $2)' };

/**
 * Short texts from process to process over PostgreSQL's LISTEN and NOTIFY. Every process that listens at the moment hears them,
 * the sender included; nobody keeps them, so they are for what may get lost without harm.
 */
@Injectable()
export class Notices implements OnModuleDestroy {
  private readonly hearers = new Map<string, (text: string) => void>();
  private connection: Client | null = null;
  private retry: NodeJS.Timeout | null = null;
  private ending = false;

  constructor(
    @Inject(HaldirConfig) private readonly config: HaldirConfig,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(Log) private readonly log: Log,
  ) {}

  /**
   * Has `hear` called, which must not throw, with each text that is sent on the channel, over a connection of its own that is made
   * again whenever it is lost. Resolves once it listens, or could not at first.
   */
  async listen(channel: string, hear: (text: string) => void): Promise<void> {
    this.hearers.set(channel, hear);
    await this.connect();
  }

  /** @throws Unavailable when the database cannot be reached */
  async send(channel: string, text: string): Promise<void> {
    await this.transactions.queryAll(notify, [channel, text]);
  }

  async onModuleDestroy(): Promise<void> {
    this.ending = true;
    if (this.retry) clearTimeout(this.retry);
    await this.connection?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const { url } = this.config.database;
    const connection = new Client({
      ...{ connectionString: url, application_name: 'haldir', connectionTimeoutMillis: 5_000, keepAlive: true },
    });
    const former = this.connection;
    this.connection = connection;
    // After an error the connection ends, too.
    connection.on('error', () => undefined);
    connection.once('end', () => this.connectLater(connection));
    connection.on('notification', ({ channel, payload = '' }) => this.hearers.get(channel)?.(payload));
    try {
      await former?.end();
      await connection.connect();
      for (const channel of this.hearers.keys())
        await connection.query(`LISTEN ${connection.escapeIdentifier(channel)}`);
    } catch (error) {
      this.log.warn({ event: 'notices.not_listening', reason: (error as Error).message });
      await connection.end().catch(() => undefined);
      this.connectLater(connection);
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
