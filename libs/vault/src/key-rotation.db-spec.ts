import { keyActor, SystemClock, newId } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { KEY_ENTITIES, KeyRing, RootKeys, TenantKeyRotation } from '@haldir/crypto';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { type SessionService } from '@haldir/gate';
import { createLogger, HaldirConfig, Metrics } from '@haldir/runtime';
import { freshDatabaseUrl } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { SEALED_DATA_KEYS } from './secret-seal.js';
import { SecretOpener } from './secret-opener.js';
import { SecretValue } from './secret-value.js';
import { SecretRepository } from './secret.repository.js';
import { SecretService } from './secret.service.js';
import { SecretVersion } from './secret-version.entity.js';
import { Secret } from './secret.entity.js';
import { ToldValueRepository } from './told-value.repository.js';
import { ToldValues } from './told-values.js';

const clock = new SystemClock();
let dataSource: DataSource;
let transactions: Transactions;
let auditLog: AuditLog;
let config: HaldirConfig;
beforeAll(async () => {
  const url = await freshDatabaseUrl();
  config = new HaldirConfig({ DATABASE_URL: url, HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 1).toString('base64url')}` });
  dataSource = await new DataSource({
    ...dataSourceOptions(url, 12),
    entities: [...KEY_ENTITIES, Secret, SecretVersion],
  }).initialize();
  transactions = new Transactions(dataSource);
  auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
});
afterAll(() => dataSource.destroy());

let tenantId: string;
beforeEach(async () => {
  tenantId = newId('tnt');
  const keys = await keyRing();
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
    await auditLog.create(tx, tenantId);
    await keys.createTenantKey(tx, tenantId);
  });
});

async function keyRing(): Promise<KeyRing> {
  const keys = new KeyRing(new RootKeys(config), transactions, config, clock);
  await keys.load();
  return keys;
}

/** A process of its own: nothing it was told, nothing it holds. */
async function vault(secrets = new SecretRepository(transactions)): Promise<SecretService> {
  const nobody = {} as SessionService;
  const keys = await keyRing();
  const opener = new SecretOpener(secrets, keys, createLogger('silent'));
  const log = createLogger('silent');
  const told = new ToldValues(new ToldValueRepository(transactions), secrets, opener, keys, transactions, log, clock);
  return new SecretService(secrets, opener, nobody, keys, told, auditLog, new Metrics('api'), clock);
}

const store = (service: SecretService, tx: Tx, name: string): Promise<unknown> =>
  service.store(tx, keyActor(tenantId, 'hld_k'), {
    name,
    value: SecretValue.of(name),
    scopeRequired: 'read',
    expiresAt: null,
    bindings: null,
  });

async function read(service: SecretService, name: string): Promise<string> {
  const { value } = await service.read(keyActor(tenantId, 'hld_k'), name, null);
  return value.reveal();
}

function rotate(): Promise<unknown> {
  const hooks = { record: () => undefined, onProgress: () => undefined };
  return new TenantKeyRotation(transactions, new RootKeys(config), [SEALED_DATA_KEYS], hooks).run(tenantId);
}

const keys = (): Promise<{ version: number; state: string }[]> =>
  dataSource.query('SELECT version, state FROM tenant_key WHERE tenant_id = $1 ORDER BY version', [tenantId]);

describe('a rotation', () => {
  it('waits for whoever seals, and who comes after seals under the new key', async () => {
    const service = await vault();
    let end = (): void => undefined;
    const ending = new Promise<void>((resolve) => (end = resolve));
    let sealed = (): void => undefined;
    const hasSealed = new Promise<void>((resolve) => (sealed = resolve));
    const slow = transactions.run(tenantId, async (tx) => {
      await store(service, tx, 'slow');
      sealed();
      await ending;
    });
    await hasSealed;
    const rotation = rotate();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const late = transactions.run(tenantId, (tx) => store(service, tx, 'late'));
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await keys()).toEqual([{ version: 1, state: 'active' }]);
    end();
    await Promise.all([slow, late, rotation]);
    expect(await keys()).toEqual([
      { version: 1, state: 'retired' },
      { version: 2, state: 'active' },
    ]);
    await transactions.run(tenantId, (tx) => store(service, tx, 'after'));
    expect(
      await dataSource.query(
        `SELECT DISTINCT encode(substr(wrapped_key, 2, 4), 'hex') AS version FROM secret_version WHERE tenant_id = $1`,
        [tenantId],
      ),
    ).toEqual([{ version: '00000002' }]);
    for (const name of ['slow', 'late', 'after']) {
      expect(await read(service, name)).toBe(name);
      expect(await read(await vault(), name)).toBe(name);
    }
  });

  it('takes a key from nobody who has read a value just before', async () => {
    const service = await vault();
    await transactions.run(tenantId, (tx) => store(service, tx, 'read'));
    class Interrupted extends SecretRepository {
      override async findNewest(tenant: string, name: string) {
        const found = await super.findNewest(tenant, name);
        await rotate();
        return found;
      }
    }
    // It holds no key yet, and the one it needs is gone by the time it asks.
    expect(await read(await vault(new Interrupted(transactions)), 'read')).toBe('read');
    expect((await keys()).at(0)).toEqual({ version: 1, state: 'retired' });
  });
});
