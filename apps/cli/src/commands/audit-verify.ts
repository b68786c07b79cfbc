import { createReadStream, statSync } from 'node:fs';
import { type Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import {
  checkExport,
  type Checkpoint,
  checkProof,
  type LogIdentity,
  parseStrictObject,
  type Verdict,
} from '@haldir/verifier';
import { type Command, UsageError } from '../command.js';
import { decisionsInWords } from '../decisions-in-words.js';
import { readCheckpoint, readLogKey } from '../log-files.js';
import { ProgressBar } from '../progress-bar.js';

const EXIT_CODES: Readonly<Record<Verdict['outcome'], number>> = {
  intact: 0,
  broken: 1,
  nothing_to_check: 2,
  cannot_check: 3,
};

export const auditVerifyCommand: Command = {
  help: `Usage: haldir audit verify FILE --key KEY [--pinned FILE] [--checkpoint FILE] [--json]

Checks, without any server, that a JSON Lines export of a whole log is what the log signed, or that a proof holds. Of an
export, it checks each decision that a person signed, too, by the passkeys that the log has.

  FILE               an export (GET /v1/audit/export), an inclusion proof or a consistency proof as the API answers
                     them; - reads from standard input
  --key KEY          the public key of the log (verifier_key of GET /v1/audit/log-key), or a file that holds it
  --pinned FILE      an older checkpoint (GET /v1/audit/checkpoint) that was kept out of the log's reach: the log must
                     still begin as it says
  --checkpoint FILE  for a consistency proof: the newer of the two checkpoints that it connects
  --json             print the finding as one line of JSON

Exit codes
  0  intact: every entry is as it was signed, and none is missing; a notice names what an old export leaves unproved.
     The second line says how many signed decisions were checked, which may be none
  1  broken: the entry at the printed index (from 0) is not what was signed, or not there; or is a decision that the
     person did not sign
  2  nothing to check: the log or the file is empty
  3  cannot check: not an export or proof of this log, or one that does not hold everything, as the key of a decision
     that was signed

Examples
  haldir audit verify audit.jsonl --key log.key
  haldir audit verify audit.jsonl --key log.key --pinned checkpoint-of-last-month
`,
  async run(args) {
    const { values, positionals } = parse(args);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1)
      throw new UsageError('give one file to check, or - for standard input');
    const log = await readLogKey(values.key);
    const pinned = await readCheckpoint(values.pinned, log);
    const newer = await readCheckpoint(values.checkpoint, log);
    const verdict = await check(file, { log, pinned, newer });
    process.stdout.write(values.json ? `${JSON.stringify(toJson(verdict))}\n` : `${describe(verdict)}\n`);
    return EXIT_CODES[verdict.outcome];
  },
};

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        pinned: { type: 'string' },
        checkpoint: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** With its tree head and its path a proof is a few thousand characters. */
const MAX_PROOF_CHARACTERS = 1_000_000;

interface Known {
  log: LogIdentity;
  pinned: Checkpoint | undefined;
  newer: Checkpoint | undefined;
}

/** A proof is one JSON object, an export many: the first line tells them apart. */
async function check(file: string, { log, pinned, newer }: Known): Promise<Verdict> {
  const [input, bytes] = open(file);
  const bar = new ProgressBar(bytes);
  try {
    const chunks = input.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
    const beginning = await firstLine(chunks);
    if (beginning === '') return { outcome: 'nothing_to_check', reason: 'the file is empty' };
    const all = prepend(beginning, chunks);
    if (!isProof(beginning.slice(0, beginning.indexOf('\n') >>> 0))) {
      const bytesRead = (): number => (input as Partial<{ bytesRead: number }>).bytesRead ?? 0;
      return await checkExport(all, {
        log,
        pinned,
        onProgress: (entries) => bar.show(bytesRead(), `${entries} entries`),
      });
    }
    let text = '';
    for await (const chunk of all) if ((text += chunk).length > MAX_PROOF_CHARACTERS) break;
    return checkProof(parseStrictObject(text), { log, pinned, newer });
  } catch (error) {
    if (error instanceof SyntaxError)
      return { outcome: 'cannot_check', reason: `the file is not JSON: ${error.message}` };
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return { outcome: 'cannot_check', reason: `the file cannot be read (${(error as NodeJS.ErrnoException).code})` };
  } finally {
    bar.end();
    input.destroy();
  }
}

/** The beginning of the file with at least its first line; everything when it has only one. */
async function firstLine(chunks: AsyncIterator<string>): Promise<string> {
  let text = '';
  while (!text.includes('\n')) {
    const next = await chunks.next();
    if (next.done) return text;
    text += next.value;
  }
  return text;
}

/** An entry has an id and no path; a proof that was pretty-printed begins with a bare brace. */
function isProof(line: string): boolean {
  return line.trim() === '{' || /"(audit_path|consistency_path)":/.test(line);
}

async function* prepend(first: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

function open(file: string): [Readable, number | null] {
  if (file === '-') return [process.stdin, null];
  let bytes: number;
  try {
    bytes = statSync(file).size;
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
  return [createReadStream(file, { highWaterMark: 1024 * 1024 }), bytes];
}

function describe(verdict: Verdict): string {
  switch (verdict.outcome) {
    case 'intact': {
      const { origin, size, root } = verdict.checkpoint;
      const what = verdict.entries === 1 ? '1 entry' : `${verdict.entries} entries`;
      return [
        `intact: ${what}, signed by ${origin} at size ${size}, root ${root.toString('hex')}`,
        ...(verdict.decisions === undefined ? [] : [`signed decisions: ${decisionsInWords(verdict.decisions)}`]),
        ...(verdict.notice === undefined ? [] : [`notice: ${verdict.notice}`]),
      ].join('\n');
    }
    case 'broken':
      return `broken at index ${verdict.index}: ${verdict.reason}`;
    case 'nothing_to_check':
      return `nothing to check: ${verdict.reason}`;
    case 'cannot_check':
      return `cannot check: ${verdict.reason}`;
  }
}

function toJson(verdict: Verdict): Record<string, unknown> {
  if (verdict.outcome !== 'intact') return verdict;
  const { origin, size, root } = verdict.checkpoint;
  const tree = { origin, tree_size: size, root_hash: root.toString('hex') };
  return {
    outcome: 'intact',
    entries: verdict.entries,
    ...tree,
    ...(verdict.decisions
      ? { signed_decisions: verdict.decisions.signed, erased_decisions: verdict.decisions.erased }
      : {}),
    ...(verdict.notice ? { notice: verdict.notice } : {}),
  };
}
