import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A test as a page names it: `file` › `title`, in a list. */
export interface NamedTest {
  file: string;
  title: string;
}

/** A statement of a page, and the tests that are listed below it. */
export interface Claim {
  statement: string;
  tests: NamedTest[];
}

/**
 * What a page of docs/ claims, with the tests it names.
 *
 * @param claim what a line that begins a claim looks like, its first group being the statement
 * @throws for a line that is meant to name a test and does not have the form
 */
export function readClaims(page: string, claim: RegExp): Claim[] {
  const claims: Claim[] = [];
  for (const line of readFileSync(join(root, 'docs', page), 'utf8').split('\n')) {
    const statement = claim.exec(line)?.[1];
    if (statement !== undefined) claims.push({ statement, tests: [] });
    const [, file, title] = /^ *- `([^`]+)` › `([^`]+)`(?: · fails on 7d2feb8)?$/.exec(line) ?? [];
    if (title === undefined && /^ *- `[^`]*` ›/.test(line))
      throw new Error(`${page} names no test that can be read: ${line}`);
    if (file !== undefined && title !== undefined) claims.at(-1)?.tests.push({ file, title });
  }
  return claims;
}

/** Whether a file that tests are read from has a test of that title, and runs it. */
export function hasTest({ file, title }: NamedTest): boolean {
  const path = join(root, file);
  if (!/spec\.ts$/.test(file) || !existsSync(path)) return false;
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(\\bit\\(|\\bit\\.each(<[^>]*>)?\\([^]*?\\)\\()\\s*'${escaped}'`).test(readFileSync(path, 'utf8'));
}
