// @ts-check

/**
 * A load, and what it cost.
 *
 * @param {Record<string, () => number | null>} processes
 * @param {() => Promise<import('./load.mjs').Outcome | { rate: number, count: number }>} work
 * @returns {Promise<import('./row.mjs').Sample>}
 */
export async function sample(processes, work) {
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
