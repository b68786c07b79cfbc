import { type Tx } from '@haldir/database';
import { Not } from 'typeorm';
import { SystemKey } from './system-key.entity.js';

const START_LOCK = 7_247_411_003;

export class SystemKeyRepository {
  in(tx: Tx) {
    return {
      /** Until the transaction ends, no other process makes or changes the installation's key. */
      hold: (): Promise<unknown> => tx.query('SELECT pg_advisory_xact_lock($1)', [START_LOCK]),
      find: (name: string): Promise<SystemKey | null> => tx.manager.findOneBy(SystemKey, { name }),
      insert: (key: SystemKey): Promise<unknown> => tx.manager.insert(SystemKey, key),
      remove: (name: string): Promise<unknown> => tx.manager.delete(SystemKey, { name }),
      /** Those under another root key than that one, locked. */
      notUnder: (rootKeyId: number): Promise<SystemKey[]> =>
        tx.manager.find(SystemKey, { where: { rootKeyId: Not(rootKeyId) }, lock: { mode: 'for_no_key_update' } }),
      rewrap: (name: string, rootKeyId: number, wrapped: Buffer): Promise<unknown> =>
        tx.manager.update(SystemKey, { name }, { rootKeyId, wrapped }),
    };
  }
}
