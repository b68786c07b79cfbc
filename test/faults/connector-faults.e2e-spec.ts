import { killAtRandom } from './connector-run.js';

// `npm run faults -- --connector-kills 200` asks for more: see scripts/faults.mjs.
const { FAULTS_CONNECTOR_KILLS = '3', FAULTS_SEED = '1' } = process.env;
const kills = Number(FAULTS_CONNECTOR_KILLS);

it(
  'haldir connect: connector, API and database killed at random under load; each call has one outcome, the server saw each at most once',
  async () => {
    const { summary, violations } = await killAtRandom(kills, Number(FAULTS_SEED));
    console.log([summary, ...violations.map((violation) => `  ${violation}`)].join('\n'));
    expect(violations).toEqual([]);
  },
  (kills * 60 + 900) * 1000,
);
