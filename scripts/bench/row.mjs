// @ts-check
// What a row of the table is. A further row is one file in rows/ and its line in rows/index.mjs.

/**
 * @typedef {object} Sample one measurement
 * @property {number} rate per second
 * @property {number} count how many answers that is
 * @property {number} [p50] milliseconds
 * @property {number} [p99] milliseconds
 * @property {Record<string, number | null>} cpu microseconds of processor time for each, by process; null where the system
 *   does not tell
 * @property {string[]} failures what was not answered as it should be; empty when all was
 */

/**
 * What a row is held against: something that does the least that has to be done.
 *
 * @typedef {object} Limit
 * @property {string} name
 * @property {() => Promise<Sample>} measure
 */

/**
 * What must be true for a row's figures to count.
 *
 * @typedef {object} Gate
 * @property {string} claim
 * @property {boolean | null} holds null: not checked
 * @property {string} [detail] what was found
 */

/**
 * A row that can be measured, as often as one likes.
 *
 * @typedef {object} Trial
 * @property {() => Promise<Sample>} measure
 * @property {Limit[]} limits measured in alternation with the row; the first is the one its target is a part of
 * @property {() => Promise<{ gates: Gate[], notes?: string[] }>} finish after the last measurement
 */

/**
 * @typedef {object} Row
 * @property {string} name as `--rows` takes it
 * @property {string} title
 * @property {number | null} target the part of its first limit that it should reach with 32 connections
 * @property {(world: import('./world.mjs').World) => Promise<Trial>} prepare
 */

/**
 * @typedef {object} Measured
 * @property {Row} row
 * @property {Sample[]} samples one a round
 * @property {{ name: string, samples: Sample[] }[]} limits in the order of the trial's
 * @property {Gate[]} gates
 * @property {string[]} notes
 */

/** How long the warm-up before the first round takes. */
const WARM_UP_SECONDS = 1;

/**
 * Measures a row and its limits in alternation, so that what slows the machine for a while slows all of them.
 *
 * @param {Row} row
 * @param {import('./world.mjs').World} world
 * @returns {Promise<Measured>} a row that cannot be measured is one whose gate does not hold
 */
export async function measure(row, world) {
  /** @type {Measured} */
  const measured = { row, samples: [], limits: [], gates: [], notes: [] };
  try {
    const trial = await row.prepare(world);
    measured.limits = trial.limits.map(({ name }) => ({ name, samples: [] }));
    /** @type {(() => Promise<void>)[]} */
    const turns = [
      ...trial.limits.map((limit, i) => async () => {
        measured.limits[i]?.samples.push(await limit.measure());
      }),
      async () => {
        measured.samples.push(await trial.measure());
      },
    ];
    await world.during(WARM_UP_SECONDS, () => inTurn(turns, world));
    measured.samples.length = 0;
    for (const { samples } of measured.limits) samples.length = 0;
    for (let round = 0; round < world.options.rounds; round++) {
      const first = round % turns.length;
      await inTurn([...turns.slice(first), ...turns.slice(0, first)], world);
    }
    const { gates, notes = [] } = await trial.finish();
    const failures = [measured, ...measured.limits].flatMap(({ samples }) => samples.flatMap((s) => s.failures));
    measured.gates = [
      { claim: 'every answer was as it should be', holds: failures.length === 0, detail: failures[0] },
      ...gates,
    ];
    measured.notes = notes;
  } catch (error) {
    if (world.signal.aborted) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    measured.gates = [{ claim: 'it could be measured', holds: false, detail }];
  }
  return measured;
}

/**
 * @param {(() => Promise<void>)[]} turns
 * @param {import('./world.mjs').World} world
 */
async function inTurn(turns, world) {
  for (const turn of turns) {
    world.signal.throwIfAborted();
    await world.settle();
    await turn();
  }
}

/**
 * @param {number[]} values
 * @returns {number} NaN when there is none
 */
export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/**
 * The median of the ratios of each round, which a slow minute of the machine disturbs less than the ratio of the medians.
 *
 * @param {Sample[]} samples
 * @param {Sample[]} limit of the same rounds
 */
export function ratio(samples, limit) {
  return median(samples.map(({ rate }, round) => rate / (limit[round]?.rate ?? NaN)));
}
