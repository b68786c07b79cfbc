import { type FileHandle, open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { checkEvidence, type EvidenceSource, type EvidenceVerdict } from '@haldir/verifier';
import { type Command, UsageError } from '../command.js';
import { decisionsInWords } from '../decisions-in-words.js';
import { readCheckpoint, readLogKey } from '../log-files.js';
import { ProgressBar } from '../progress-bar.js';

const EXIT_CODES: Readonly<Record<EvidenceVerdict['outcome'], number>> = { intact: 0, broken: 1, cannot_check: 3 };

export const evidenceVerifyCommand: Command = {
  help: `Usage: haldir evidence verify FILE --key KEY [--pinned FILE] [--json]

Checks, without any server, that a package of evidence is what its log signed: every byte of the ZIP, that its entries are the whole
log up to the end of the period, that the log only grew from each of its earlier signed heads on, and each decision that a person
signed.

  FILE           a package (GET /v1/evidence/{evidence_id}/download, or haldir evidence create)
  --key KEY      the public key of the log (verifier_key of GET /v1/audit/log-key), or a file that holds it. Get it from somewhere
                 else than the package
  --pinned FILE  an older checkpoint (GET /v1/audit/checkpoint) that was kept out of the log's reach: the log must still begin as it
                 says
  --json         print the finding as one line of JSON

Exit codes
  0  intact: the package is byte for byte what was signed
  1  broken: something in it was changed, added, removed or moved; the file is named where it is one of its files
  3  cannot check: no package of evidence, or one that does not hold everything, as the key of a decision that was signed

Examples
  haldir evidence verify evidence.zip --key log.key
  haldir evidence verify evidence.zip --key log.key --pinned checkpoint-of-last-year
`,
  async run(args) {
    const { values, positionals } = parse(args);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) throw new UsageError('give one package to check');
    const log = await readLogKey(values.key);
    const pinned = await readCheckpoint(values.pinned, log);
    const handle = await openFile(file);
    try {
      const { size: length } = await handle.stat();
      const bar = new ProgressBar(length);
      const onProgress = (bytes: number): void => bar.show(bytes, `${bytes} bytes`);
      const verdict = await checkEvidence(sourceOf(handle, length), { log, pinned, onProgress });
      bar.end();
      process.stdout.write(values.json ? `${JSON.stringify(toJson(verdict))}\n` : `${describe(verdict)}\n`);
      return EXIT_CODES[verdict.outcome];
    } finally {
      await handle.close();
    }
  },
};

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { key: { type: 'string' }, pinned: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch {
    // Whatever is wrong with it.
  }
  throw new UsageError(`${file} cannot be read`);
}

function sourceOf(handle: FileHandle, length: number): EvidenceSource {
  return {
    length,
    read: async (from, count) => {
      const bytes = Buffer.alloc(count);
      let done = 0;
      while (done < count) {
        const { bytesRead } = await handle.read(bytes, done, count - done, from + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
  };
}

function describe(verdict: EvidenceVerdict): string {
  switch (verdict.outcome) {
    case 'intact': {
      const { entries, checkpoints, period, decisions } = verdict;
      const { origin, size, root } = verdict.checkpoint;
      return [
        `intact: evidence of ${period.from} to ${period.to}, signed by ${origin}`,
        `entries: ${entries}, signed at size ${size}, root ${root.toString('hex')}`,
        `earlier signed heads: ${checkpoints}, and the log only grew from each`,
        ...(decisions === undefined ? [] : [`signed decisions: ${decisionsInWords(decisions)}`]),
      ].join('\n');
    }
    case 'broken':
      return `broken${verdict.file === null ? '' : ` in ${verdict.file}`}: ${verdict.reason}`;
    case 'cannot_check':
      return `cannot check: ${verdict.reason}`;
  }
}

function toJson(verdict: EvidenceVerdict): Record<string, unknown> {
  if (verdict.outcome !== 'intact') return verdict;
  const { entries, checkpoints, period, decisions, checkpoint } = verdict;
  const { origin, size, root } = checkpoint;
  return {
    outcome: 'intact',
    period,
    entries,
    earlier_checkpoints: checkpoints,
    origin,
    tree_size: size,
    root_hash: root.toString('hex'),
    ...(decisions ? { signed_decisions: decisions.signed, erased_decisions: decisions.erased } : {}),
  };
}
