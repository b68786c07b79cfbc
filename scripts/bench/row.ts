// What a row of the table is. A further row is one file in rows/ and its line in rows/index.ts.
import path from 'node:path';
import { type Gate, type Limit, type Sample } from './measurement.js';
import { type World } from './world.js';

/** A row that can be measured, as often as one likes. */
export interface Trial {
  measure: () => Promise<Sample>;
  /** Measured in alternation with the row; the first is the one its target is a part of */
  limits: Limit[];
  /** After the last measurement */
  finish: (measured: Pick<Measured, 'samples' | 'limits'>) => Promise<{ gates: Gate[]; notes?: string[] }>;
}

export interface Row {
  /** As `--rows` takes it */
  name: string;
  title: string;
  /** The part of its first limit that it should reach with 32 connections */
  target: number | null;
  prepare: (world: World) => Promise<Trial>;
}

export interface Measured {
  row: Row;
  /** One a round */
  samples: Sample[];
  /** In the order of the trial's */
  limits: { name: string; samples: Sample[] }[];
  gates: Gate[];
  notes: string[];
}

/** How long the warm-up before the first round takes. */
const WARM_UP_SECONDS = 1;

/**
 * Measures a row and its limits in alternation, so that what slows the machine for a while slows all of them.
 *
 * @returns a row that cannot be measured is one whose gate does not hold
 */
export async function measure(row: Row, world: World): Promise<Measured> {
  const measured: Measured = { row, samples: [], limits: [], gates: [], notes: [] };
  try {
    const trial = await row.prepare(world);
    measured.limits = trial.limits.map(({ name }) => ({ name, samples: [] }));
    const turns: (() => Promise<void>)[] = [
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
    const { gates, notes = [] } = await trial.finish(measured);
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

/** Of the same row of another checkout: less is slower, by what one run can tell. */
const TARGET_OF_OTHER = 0.97;

/** Measures a row in alternation with the same row of another Haldir, which is its only limit. Both have to keep the row's promises. */
export function compare(row: Row, world: World, other: World): Promise<Measured> {
  const prepare = async (): Promise<Trial> => {
    const [here, there] = [await row.prepare(world), await row.prepare(other)];
    const name = `${row.title}, ${path.basename(other.instance.root)}`;
    const measureThere = async (): Promise<Sample> => {
      await other.settle();
      return there.measure();
    };
    return {
      measure: here.measure,
      limits: [{ name, measure: () => other.during(world.seconds, measureThere) }],
      finish: async ({ samples, limits }) => {
        // Neither has measured what lies beneath it.
        const ends = [
          await here.finish({ samples, limits: [] }),
          await there.finish({ samples: limits[0]?.samples ?? [], limits: [] }),
        ];
        return { gates: ends.flatMap(({ gates }) => gates) };
      },
    };
  };
  return measure({ ...row, target: TARGET_OF_OTHER, prepare }, world);
}

async function inTurn(turns: (() => Promise<void>)[], world: World) {
  for (const turn of turns) {
    world.signal.throwIfAborted();
    await world.settle();
    await turn();
  }
}

/** @returns NaN when there is none */
export function median(values: number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/**
 * The median of the ratios of each round, which a slow minute of the machine disturbs less than the ratio of the medians.
 *
 * @param limit of the same rounds
 */
export function ratio(samples: Sample[], limit: Sample[]) {
  return median(samples.map(({ rate }, round) => rate / (limit[round]?.rate ?? NaN)));
}
