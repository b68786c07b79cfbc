import { clusterCpuMicros } from '../children.js';
import { sample } from '../sample.js';
import { type Row } from '../row.js';

const SECRETS = 10_000;
const TARGET_SECONDS = 10;

export const rotation: Row = {
  name: 'rotation',
  title: `rotation of ${SECRETS.toLocaleString('en-US')} secrets`,
  target: null,
  prepare: async (world) => {
    const { cli, cluster } = world.instance;
    const tenant = await world.tenant();
    const stored = Array.from({ length: SECRETS }, (_, n) =>
      tenant.post('/v1/secrets', { name: `secret-${n}`, value: `value-of-forty-characters-or-so-number-${n}` }),
    );
    const { ok } = await world.load({ amount: SECRETS, requests: stored });
    if (ok !== SECRETS) throw new Error(`${SECRETS - ok} of ${SECRETS} secrets could not be stored`);
    const { tenant_id: id } = await tenant.send('GET', '/v1/audit/tree-head');
    let slowest = 0;

    /** The whole command: its start, the new key, every value under it, the old key gone. */
    const measure = () =>
      sample({ postgres: () => clusterCpuMicros(cluster) }, async () => {
        const started = performance.now();
        const said = await cli('keys', 'rotate-tenant', '--tenant', id);
        const seconds = (performance.now() - started) / 1000;
        const values = Number(/(\d+) values/.exec(said)?.[1]);
        if (!(values >= SECRETS)) throw new Error(`a rotation sealed ${values} values anew, not ${SECRETS}`);
        slowest = Math.max(slowest, seconds);
        return { rate: values / seconds, count: values };
      });

    return {
      measure,
      limits: [world.limits.commit],
      finish: async () => {
        const { values_to_move: left } = JSON.parse(await cli('keys', 'status', '--json'));
        const { value } = await tenant.send('GET', `/v1/secrets/secret-${SECRETS - 1}`);
        return {
          gates: [
            {
              claim: `a rotation takes ${TARGET_SECONDS} s at most`,
              holds: slowest <= TARGET_SECONDS,
              detail: `${slowest.toFixed(1)} s`,
            },
            { claim: 'nothing is left under the old keys', holds: left === 0, detail: `${left} values` },
            { claim: 'secrets read as they were stored', holds: String(value).endsWith(`-${SECRETS - 1}`) },
          ],
        };
      },
    };
  },
};
