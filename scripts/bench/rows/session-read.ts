import { type Row } from '../row.js';
export const sessionRead: Row = {
  name: 'read',
  title: 'session read',
  target: null,
  prepare: async (world) => {
    const tenant = await world.tenant();
    const sessions = await tenant.sessions(1000);
    const { measure } = world.api(sessions.map((id) => tenant.get(`/v1/sessions/${id}`)));
    return { measure, limits: [world.limits.route, world.limits.select], finish: async () => ({ gates: [] }) };
  },
};
