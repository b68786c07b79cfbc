// @ts-check

/**
 * Says what is being done while it is done, and how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} what `work` answers
 */
export async function step(title, work) {
  const started = performance.now();
  process.stdout.write(`  ${title} … `);
  try {
    const result = await work();
    process.stdout.write(`${seconds(started)}\n`);
    return result;
  } catch (error) {
    process.stdout.write('failed\n');
    throw error;
  }
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {number} since a time of `performance.now()` */
export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/**
 * What of a process's output an operator should see at once: its warnings and errors, and whatever is not a log line.
 *
 * @param {string} line
 * @returns {string | null} null for what belongs in the log file only
 */
export function worthShowing(line) {
  if (line.trim() === '') return null;
  let fact;
  try {
    fact = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof fact !== 'object' || fact === null || typeof fact.level !== 'number') return line;
  if (fact.level < 40) return null;
  const level = fact.level < 50 ? 'warning' : 'error';
  const parts = [fact.event, fact.msg, fact.reason, fact.err?.message].filter((part) => typeof part === 'string');
  return `${level}: ${parts.join(': ')}`;
}
