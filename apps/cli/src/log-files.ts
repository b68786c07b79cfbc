import { readFile } from 'node:fs/promises';
import {
  type Checkpoint,
  InvalidCheckpoint,
  type LogIdentity,
  parseCheckpoint,
  parseVerifierKey,
} from '@haldir/verifier';
import { UsageError } from './command.js';

/** The key of a log, given as it is or as a file that holds it. @throws UsageError */
export async function readLogKey(keyOrFile: string | undefined): Promise<LogIdentity> {
  if (keyOrFile === undefined)
    throw new UsageError('--key is missing: the public key of the log, or a file that holds it');
  const text = /^[^\s+]+\+[0-9a-f]{8}\+/.test(keyOrFile) ? keyOrFile : await readText(keyOrFile, '--key');
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    throw new UsageError(`--key: ${error.message}`);
  }
}

/** A checkpoint of the log in a file; undefined without a file. @throws UsageError */
export async function readCheckpoint(file: string | undefined, log: LogIdentity): Promise<Checkpoint | undefined> {
  if (file === undefined) return undefined;
  try {
    return parseCheckpoint(await readText(file, 'checkpoint'), log);
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    throw new UsageError(`${file}: ${error.message}`);
  }
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new UsageError(`${what}: ${file} cannot be read`);
  }
}
