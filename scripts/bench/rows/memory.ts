import { cpuMicros } from '../children.js';
import { type Held, heldBy } from '../memory.js';
import { type Row } from '../row.js';
import { sample } from '../sample.js';

const SESSIONS = 10_000;
/** Sessions that are there before it is looked at for the first time: by then its code is compiled, and its pools are full. */
const BEFORE = 1_000;
const MOST_MB = 100;

/** What sessions that each have one with an upstream add to the process of the API. */
export const memory: Row = {
  name: 'memory',
  title: 'first tools/call of a session, which begins one with the upstream',
  target: null,
  prepare: async (world) => {
    const { apiPid, inspectPort } = world.instance;
    const upstream = await world.start(new URL('../upstream.ts', import.meta.url));
    const tenant = await world.tenant();
    const url = `http://127.0.0.1:${upstream.facts.port}/mcp?sessions=true`;
    await tenant.send('POST', '/v1/proxy/upstreams', { name: 'bench', url });
    let before: Held | null = null;
    let [begun, refused] = [0, 0];

    /** Each session calls once. */
    const begin = async (count: number) => {
      const requests = (await tenant.sessions(count)).map((id) =>
        tenant.post('/v1/proxy/call', { session_id: id, tool: 'bench.echo', arguments: { message: 'hello' } }),
      );
      const measured = await sample({ api: () => cpuMicros(apiPid) }, () => world.load({ amount: count, requests }));
      refused += count - measured.count;
      return measured;
    };

    return {
      limits: [],
      measure: async () => {
        if (!before) {
          const measured = await begin(BEFORE);
          before = await heldBy(apiPid, inspectPort);
          return measured;
        }
        const measured = await begin(Math.ceil(SESSIONS / world.options.rounds));
        begun += measured.count;
        return measured;
      },
      finish: async () => {
        const after = await heldBy(apiPid, inspectPort);
        const added = (of: keyof Held) => (after[of] - (before?.[of] ?? 0)) / 1e6;
        const { sessions } = (await tenant.send('GET', '/v1/proxy/upstreams')).upstreams.bench;
        return {
          gates: [
            {
              claim: 'each session has one with the upstream',
              holds: sessions === 'own' && refused === 0,
              detail: `sessions: ${sessions}, ${refused} calls without an answer`,
            },
            {
              claim: `10,000 sessions add at most ${MOST_MB} MB to the API`,
              holds: added('resident') * (SESSIONS / begun) <= MOST_MB,
              detail: `${begun.toLocaleString('en-US')} add ${added('resident').toFixed(0)} MB of resident memory, from ${((before?.resident ?? 0) / 1e6).toFixed(0)} MB; ${added('heap').toFixed(0)} MB of objects and buffers`,
            },
          ],
        };
      },
    };
  },
};
