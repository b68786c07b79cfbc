import { visibleJsonText, visibleTextInTurns } from '@haldir/kernel';
import { DetailsTooLong } from './approvals.errors.js';

/** How long the details of a request are at most, as whoever decides is shown them. */
const MAX_DETAILS_CHARS = 2 * 1024 * 1024;

/**
 * The details of a request as whoever decides is shown them, all of them: a text, or the JSON text of what is none, with hidden
 * characters made visible in its texts, so that it stays JSON. Made in turns.
 *
 * @throws DetailsTooLong
 */
export async function shownDetails(details: string | Readonly<Record<string, unknown>>): Promise<string> {
  const shown = typeof details === 'string' ? await visibleTextInTurns(details) : await visibleJsonText(details);
  if (shown.length > MAX_DETAILS_CHARS) throw new DetailsTooLong(MAX_DETAILS_CHARS);
  return shown;
}
