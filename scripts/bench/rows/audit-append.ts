import { watchLogs } from '../tenant.js';
import { type Row } from '../row.js';

/** Of as many agents, in all tenants together. */
const SESSIONS = 1000;

export const auditHot = auditAppend('audit-hot', 'audit append, 1 hot tenant', 1);
export const auditSpread = auditAppend('audit-spread', 'audit append, 50 tenants', 50);

/** @param count of tenants */
function auditAppend(name: string, title: string, count: number): Row {
  return {
    name,
    title,
    target: 0.13,
    prepare: async (world) => {
      const tenants = await Promise.all(Array.from({ length: count }, () => world.tenant()));
      const requests = [];
      for (const tenant of tenants) {
        const sessions = await tenant.sessions(SESSIONS / count);
        requests.push(sessions.map((id) => tenant.post('/v1/audit', action(id))));
      }
      const { measure, acknowledged } = world.api(interleaved(requests));
      const log = await watchLogs(...tenants);
      return {
        measure,
        limits: [world.limits.route, world.limits.commit],
        finish: async () => ({ gates: [await log(acknowledged())] }),
      };
    },
  };
}

function action(sessionId: string) {
  return {
    session_id: sessionId,
    tool: 'stripe.charges',
    action: 'create_charge',
    details: JSON.stringify({ order: 'ord_1042', customer: 'cus_9', note: 'monthly plan' }),
    cost_usd: 0.0125,
  };
}

/**
 * One of each list in turn, so that requests that are under way together are of different tenants.
 *
 * @param lists of one length
 */
function interleaved<T>(lists: T[][]): T[] {
  return (lists[0] ?? []).flatMap((_, n) => lists.flatMap((list) => list.slice(n, n + 1)));
}
