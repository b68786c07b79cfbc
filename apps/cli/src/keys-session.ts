import { setTimeout as pause } from 'node:timers/promises';
import { AuditLog, AuditLogRepository, SEALED_LOG_SEEDS } from '@haldir/audit-log';
import { GrantSeal, KEY_ENTITIES, KeyRing, RootKeys, type SealedColumn } from '@haldir/crypto';
import { dataSourceOptions, EVERY_TENANT, Transactions } from '@haldir/database';
import { sealGrants } from '@haldir/gate';
import { SystemClock } from '@haldir/kernel';
import { ConfigError, createLogger, databaseUrl, HaldirConfig, isDatabaseUrl } from '@haldir/runtime';
import { SEALED_UPSTREAM_HEADERS } from '@haldir/proxy';
import { SEALED_DATA_KEYS, SEALED_TOLD_VALUES } from '@haldir/vault';
import { SEALED_WEBHOOK_SECRETS } from '@haldir/webhooks';
import { DataSource, type QueryRunner } from 'typeorm';

/** Every column whose values are under tenant keys. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  SEALED_DATA_KEYS,
  ...SEALED_WEBHOOK_SECRETS,
  SEALED_UPSTREAM_HEADERS,
  SEALED_LOG_SEEDS,
  SEALED_TOLD_VALUES,
];

const ROTATION_LOCK = 7_247_411_005;
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

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Runs `work` as the owner of the schema, who alone may change keys.
 *
 * @throws ConfigError when the database or its role is not the one that is needed
 */
export async function asOwner<T>(
  env: Env,
  work: (transactions: Transactions, dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = new DataSource({ ...dataSourceOptions(ownerUrl(env), 3), entities: KEY_ENTITIES });
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
    try {
      await takeLock(guard);
      return await work({
        transactions,
        rootKeys,
        auditLog: new AuditLog(new AuditLogRepository(transactions), clock),
      });
    } finally {
      await guard.query('SELECT pg_advisory_unlock($1)', [ROTATION_LOCK]).catch(() => undefined);
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
    const [unsealed] = await transactions.queryAll({
      name: 'system_key.unsealed.v1',
      text: `SELECT FROM system_key WHERE name = 'master'`,
    });
    if (!unsealed) return null;
    const config = new HaldirConfig({ ...env, DATABASE_URL: ownerUrl(env) });
    const keyRing = new KeyRing(new RootKeys(config), transactions, config, new SystemClock());
    const seal = new GrantSeal(keyRing, createLogger(config.logLevel));
    return transactions.run(EVERY_TENANT, (tx) => sealGrants(tx, keyRing, seal));
  });
}

async function takeLock(guard: QueryRunner): Promise<void> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    const [row] = (await guard.query('SELECT pg_try_advisory_lock($1) AS taken', [ROTATION_LOCK])) as {
      taken: boolean;
    }[];
    if (row?.taken) return;
    await pause(LOCK_RETRY_MS);
  }
  throw new RotationUnderWay();
}

function ownerUrl(env: Env): string {
  const url = databaseUrl(env, 'DATABASE_OWNER_URL') || databaseUrl(env, 'DATABASE_URL');
  if (isDatabaseUrl(url)) return url;
  throw new ConfigError(
    'DATABASE_OWNER_URL should be a PostgreSQL URL, for example DATABASE_OWNER_URL=postgresql://haldir:password@127.0.0.1:5432/haldir',
  );
}
