import { type GrantSeal, type KeyRing } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { GrantMacRepository, type Place } from './grant-mac.repository.js';
import { KEY_GRANT, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';

const BATCH = 1000;

type GrantMac = Place & { mac: Buffer };

/**
 * Gives every key and session the MAC over what it grants now, and has the database ask for one from then on. As the owner of the
 * schema, once: see `KeyRing.sealGrantsOnce`.
 *
 * @returns how many rows it was, or null when it was done before
 */
export async function sealGrants(tx: Tx, keyRing: KeyRing, seal: GrantSeal): Promise<number | null> {
  const macs = new GrantMacRepository().in(tx);
  let rows = 0;
  const isDone = await keyRing.sealGrantsOnce(tx, async () => {
    await macs.lock();
    rows += await inPages(async (after) => {
      const sealed = (await macs.keys(after, BATCH)).map((key) => {
        // There were no keys of agents or connectors in the version that made no MACs.
        const mac = seal.macOf(KEY_GRANT, keyGrant({ ...key, grant: null, connector: null }));
        return { tenantId: key.tenantId, id: key.publicId, mac };
      });
      await macs.put('api_key', sealed);
      return sealed;
    });
    rows += await inPages(async (after) => {
      const sealed = (await macs.sessions(after, BATCH)).map((session) => {
        return { tenantId: session.tenantId, id: session.id, mac: seal.macOf(SESSION_GRANT, sessionGrant(session)) };
      });
      await macs.put('session', sealed);
      return sealed;
    });
    await macs.require();
  });
  return isDone ? rows : null;
}

/** Answers how many rows all pages had. */
async function inPages(page: (after: GrantMac | undefined) => Promise<GrantMac[]>): Promise<number> {
  let after: GrantMac | undefined;
  let total = 0;
  do {
    const sealed = await page(after);
    total += sealed.length;
    after = sealed.length === BATCH ? sealed.at(-1) : undefined;
  } while (after);
  return total;
}
