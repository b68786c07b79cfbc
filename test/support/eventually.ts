import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks again and again until `probe` answers without throwing, and answers that.
 *
 * @throws whatever the last try threw, once `withinMs` are over
 */
export async function eventually<T>(probe: () => T | Promise<T>, withinMs = 20_000, everyMs = 25): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(everyMs);
    }
  }
}
