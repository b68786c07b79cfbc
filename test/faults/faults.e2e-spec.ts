import { runSeed } from './run.js';

// `npm run faults` asks for more: see scripts/faults.mjs.
const { FAULTS_SEED = '1', FAULTS_SEEDS = '1', FAULTS_SECONDS = '25' } = process.env;
const seconds = Number(FAULTS_SECONDS);
const seeds = Array.from({ length: Number(FAULTS_SEEDS) }, (_, i) => Number(FAULTS_SEED) + i);

it.each(seeds)(
  'whatever dies under a mixed load, what was acknowledged is there, once, and nothing limited is exceeded (seed %i)',
  async (seed) => {
    const { summary, violations } = await runSeed(seed, seconds).catch((error: unknown) => {
      console.log(`seed ${seed}: could not be run to its end: ${String(error)}`);
      throw error;
    });
    console.log([summary, ...violations.map((violation) => `  ${violation}`)].join('\n'));
    expect(violations).toEqual([]);
  },
  (seconds + 240) * 1000,
);
