import { type Outcome } from './load.js';
import { type Sample } from './measurement.js';

/** A load, and what it cost. */
export async function sample(
  processes: Record<string, () => number | null>,
  work: () => Promise<Outcome | { rate: number; count: number }>,
): Promise<Sample> {
  const before = Object.entries(processes).map(([name, read]) => ({ name, read, micros: read() }));
  const outcome = await work();
  const count = 'count' in outcome ? outcome.count : outcome.ok;
  const cpu = Object.fromEntries(
    before.map(({ name, read, micros }) => {
      const now = read();
      return [name, micros === null || now === null || count === 0 ? null : (now - micros) / count];
    }),
  );
  if ('count' in outcome) return { rate: outcome.rate, count, cpu, failures: [] };
  const { ok, others, errors, seconds, p50, p99 } = outcome;
  const failures = Object.entries(others).map(([status, answers]) => `${answers} answers of status ${status}`);
  if (errors > 0) failures.push(`${errors} requests without an answer`);
  return { rate: ok / seconds, count, p50, p99, cpu, failures };
}
