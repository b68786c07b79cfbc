import { type Row } from '../row.js';
export const sessionCheck: Row = {
  name: 'check',
  title: 'session check',
  target: 0.3,
  prepare: async (world) => {
    const tenant = await world.tenant();
    const sessions = await tenant.sessions(1000);
    const { measure } = world.api(sessions.map((id) => tenant.post(`/v1/sessions/${id}/check`, { scope: 'read' })));
    return { measure, limits: [world.limits.route, world.limits.select], finish: async () => ({ gates: [] }) };
  },
};
