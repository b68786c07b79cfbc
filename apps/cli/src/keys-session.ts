import { setTimeout as pause } from 'node:timers/promises';
import { AuditLog, AuditLogRepository, SEALED_LOG_SEEDS } from '@haldir/audit-log';
import { GrantSeal, KEY_ENTITIES, KeyRing, RootKeys, type SealedColumn } from '@haldir/crypto';
import { dataSourceOptions, EVERY_TENANT, Transactions } from '@haldir/database';
import { sealGrants } from '@haldir/gate';
import { SystemClock } from '@haldir/kernel';
import { ConfigError, createLogger, databaseUrl, HaldirConfig, isDatabaseUrl } from '@haldir/runtime';
import { SEALED_PUSH_SUBSCRIPTIONS } from '@haldir/notifications';
import { SEALED_UPSTREAM_HEADERS, SEALED_UPSTREAM_SESSIONS } from '@haldir/proxy';
import { SEALED_DATA_KEYS, SEALED_TOLD_VALUES } from '@haldir/vault';
import { SEALED_WEBHOOK_SECRETS } from '@haldir/webhooks';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { KeysRepository, RotationLock } from './keys.repository.js';

/** Every column whose values are under tenant keys. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  SEALED_DATA_KEYS,
  ...SEALED_WEBHOOK_SECRETS,
  SEALED_UPSTREAM_HEADERS,
  SEALED_UPSTREAM_SESSIONS,
  SEALED_LOG_SEEDS,
  SEALED_TOLD_VALUES,
  SEALED_PUSH_SUBSCRIPTIONS,
];

const LOCK_TRIES = 40;
const LOCK_RETRY_MS = 250;
const INSUFFICIENT_PRIVILEGE = '42501';

/** Another process rotates keys right now. */
export class RotationUnderWay extends Error {
  constructor() {
    super('another rotation is under way; wait for it, or see haldir keys status');
  }
}

export interface KeysSession {
  transactions: Transactions;
  rootKeys: RootKeys;
  auditLog: AuditLog;
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Runs `work` as the owner of the schema, who alone may change keys.
 *
 * @throws ConfigError when the database or its role is not the one that is needed
 */
export async function asOwner<T>(
  env: Env,
  work: (transactions: Transactions, dataSource: DataSource) => Promise<T>,
  entities: NonNullable<DataSourceOptions['entities']> = KEY_ENTITIES,
): Promise<T> {
  const dataSource = new DataSource({ ...dataSourceOptions(ownerUrl(env), 3), entities });
  try {
    await dataSource.initialize();
    return await work(new Transactions(dataSource), dataSource);
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new ConfigError(
      'DATABASE_OWNER_URL should name the role that owns the schema, for example DATABASE_OWNER_URL=postgresql://haldir:password@127.0.0.1:5432/haldir',
      { cause: error },
    );
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

/**
 * Runs `work` with the root keys of the settings, once they were checked against the database, and while nobody else rotates keys.
 * The lock belongs to the connection: it goes with a process that was killed.
 *
 * @throws ConfigError for a root key that is missing or wrong; RotationUnderWay when another process holds the lock for ten seconds
 */
export function rotating<T>(env: Env, work: (session: KeysSession) => Promise<T>): Promise<T> {
  const config = new HaldirConfig({ ...env, DATABASE_URL: ownerUrl(env), DATABASE_PASSWORD: '' });
  return asOwner(env, async (transactions, dataSource) => {
    const clock = new SystemClock();
    const rootKeys = new RootKeys(config);
    await new KeyRing(rootKeys, transactions, config, clock).load();
    const guard = dataSource.createQueryRunner();
    const lock = new RotationLock(guard);
    try {
      await take(lock);
      return await work({
        transactions,
        rootKeys,
        auditLog: new AuditLog(new AuditLogRepository(transactions), clock),
      });
    } finally {
      await lock.release().catch(() => undefined);
      await guard.release();
    }
  });
}

/**
 * Gives keys and sessions of an earlier version their MACs; asks for no root key where none is to be given.
 *
 * @returns how many rows it was; null when there was nothing to do
 * @throws ConfigError for a root key that is missing or wrong
 */
export function sealGrantsThere(env: Env): Promise<number | null> {
  return asOwner(env, async (transactions) => {
    if (!(await new KeysRepository(transactions).hasUnsealedGrants())) return null;
    const config = new HaldirConfig({ ...env, DATABASE_URL: ownerUrl(env) });
    const keyRing = new KeyRing(new RootKeys(config), transactions, config, new SystemClock());
    const seal = new GrantSeal(keyRing, createLogger(config.logLevel));
    return transactions.run(EVERY_TENANT, (tx) => sealGrants(tx, keyRing, seal));
  });
}

async function take(lock: RotationLock): Promise<void> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    if (await lock.take()) return;
    await pause(LOCK_RETRY_MS);
  }
  throw new RotationUnderWay();
}

export function ownerUrl(env: Env): string {
  const url = databaseUrl(env, 'DATABASE_OWNER_URL') || databaseUrl(env, 'DATABASE_URL');
  if (isDatabaseUrl(url)) return url;
  throw new ConfigError(
    'DATABASE_OWNER_URL should be a PostgreSQL URL, for example DATABASE_OWNER_URL=postgresql://haldir:password@127.0.0.1:5432/haldir',
  );
}
