import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { settingsOf, type UpstreamSettings } from './upstream-settings.js';
import { Upstream } from './upstream.entity.js';

/** Settings of registrations that go on. */
@Injectable()
export class UpstreamSettingsRepository {
  in(tx: Tx) {
    return {
      /** Changes what is given, and nothing else; null when there is no such upstream. */
      change: async (
        tenantId: string,
        name: string,
        changes: Partial<UpstreamSettings>,
      ): Promise<{ before: UpstreamSettings; after: UpstreamSettings } | null> => {
        const lock = { mode: 'pessimistic_write' } as const;
        const found = await tx.manager.findOne(Upstream, { where: { tenantId, name }, lock });
        if (!found) return null;
        const before = settingsOf(found);
        if (Object.keys(changes).length > 0) await tx.manager.update(Upstream, { tenantId, name }, changes);
        return { before, after: { ...before, ...changes } };
      },
    };
  }
}
