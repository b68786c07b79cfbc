import { setTimeout as pause } from 'node:timers/promises';
import { SystemClock } from '@haldir/kernel';
import { dataSourceOptions, isConnectionFailure, Transactions } from '@haldir/database';
import { type HaldirConfig } from '@haldir/runtime';
import { DataSource } from 'typeorm';
import { KEY_ENTITIES } from './key-entities.js';
import { KeyRing } from './key-ring.js';
import { RootKeys } from './root-keys.js';

const ATTEMPTS = 10;
const ATTEMPT_DELAY_MS = 1000;

/**
 * Checks the configured root keys against the database before a process starts anything that writes: connecting to a queue
 * does. Waits ten seconds for a database that is not there yet, as the process itself does.
 *
 * @throws ConfigError naming the root key that is missing or wrong; nothing was touched then
 */
export async function checkRootKeys(config: HaldirConfig): Promise<void> {
  const dataSource = await connect(config.database.url);
  try {
    await new KeyRing(new RootKeys(config), new Transactions(dataSource), config, new SystemClock()).load();
  } finally {
    await dataSource.destroy();
  }
}

async function connect(url: string): Promise<DataSource> {
  const dataSource = new DataSource({ ...dataSourceOptions(url, 2), entities: KEY_ENTITIES });
  for (let attempt = 1; ; attempt++) {
    try {
      return await dataSource.initialize();
    } catch (error) {
      if (attempt === ATTEMPTS || !isConnectionFailure(error)) throw error;
      await pause(ATTEMPT_DELAY_MS);
    }
  }
}
