import fs from 'node:fs';
import path from 'node:path';

/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[], files: string[] }} Count `failures`: what failed, and why; `files`: where */

/**
 * What a run of Vitest came to, by the report it wrote.
 *
 * @param {string} file written by Vitest's reporter `json`
 * @param {string} root of the repository: files are named from there
 * @returns {Count} a file that could not be loaded counts as one failure; no report as nothing
 */
export function readCount(file, root) {
  let report;
  try {
    report = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [], files: [] };
  }
  /** @type {{ name: string, status: string, message: string, assertionResults: { status: string, fullName: string, failureMessages: string[] }[] }[]} */
  const files = report.testResults;
  /** @type {string[]} */
  const failures = [];
  /** @type {Set<string>} */
  const failedFiles = new Set();
  let broken = 0;
  for (const { name, status, message, assertionResults } of files) {
    const failed = assertionResults.filter((result) => result.status === 'failed');
    if (status === 'failed' || failed.length > 0) failedFiles.add(path.relative(root, name));
    for (const { fullName, failureMessages } of failed)
      failures.push(`${path.relative(root, name)} › ${fullName}\n    ${firstLines(failureMessages[0])}`);
    if (status !== 'failed' || failed.length > 0) continue;
    broken++;
    failures.push(`${path.relative(root, name)}\n    ${firstLines(message)}`);
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
    files: [...failedFiles],
  };
}

/** @param {string | undefined} message */
function firstLines(message = '') {
  return message.split('\n').slice(0, 12).join('\n    ').slice(0, 1500);
}
