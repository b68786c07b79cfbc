import { inParallel, watchLogs } from '../tenant.js';
import { type Row } from '../row.js';

const SECRETS = 20;

export const secretRead: Row = {
  name: 'secret',
  title: 'secret read, audited',
  target: 0.12,
  prepare: async (world) => {
    const tenant = await world.tenant();
    await inParallel(SECRETS, (n) =>
      tenant.send('POST', '/v1/secrets', {
        name: `secret-${n}`,
        value: `value-of-forty-characters-or-so-number-${n}`,
        scope_required: 'read',
      }),
    );
    const sessions = await tenant.sessions(1000);
    const { measure, acknowledged } = world.api(
      sessions.map((id, n) => tenant.get(`/v1/secrets/secret-${n % SECRETS}`, { 'x-session-id': id })),
    );
    const log = await watchLogs(tenant);
    return {
      measure,
      limits: [world.limits.route, world.limits.commit],
      finish: async () => ({ gates: [await log(acknowledged())] }),
    };
  },
};
