import { watchLogs } from '../tenant.js';
import { type Row } from '../row.js';

export const sessionCreate: Row = {
  name: 'create',
  title: 'session create',
  target: null,
  prepare: async (world) => {
    const tenant = await world.tenant();
    const { measure, acknowledged } = world.api(
      Array.from({ length: 1000 }, (_, n) =>
        tenant.post('/v1/sessions', { agent_id: `agent-${n}`, scopes: ['read', 'execute'], spend_limit: 100 }),
      ),
    );
    const log = await watchLogs(tenant);
    return {
      measure,
      limits: [world.limits.route, world.limits.commit],
      finish: async () => ({ gates: [await log(acknowledged())] }),
    };
  },
};
