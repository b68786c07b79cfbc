// @ts-check
// Which files the lint has passed, and with what content. The type check strikes out those that a change reaches.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** @param {string} folder of the check's caches */
const fileIn = (folder) => path.join(folder, 'linted.json');

/**
 * @param {string} folder of the check's caches
 * @returns {Record<string, string>} the digest of each file that passed, by its path in the repository
 */
export function readLinted(folder) {
  try {
    return JSON.parse(fs.readFileSync(fileIn(folder), 'utf8'));
  } catch {
    return {};
  }
}

/**
 * @param {string} folder of the check's caches
 * @param {Record<string, string>} linted
 */
export function writeLinted(folder, linted) {
  fs.mkdirSync(folder, { recursive: true });
  const draft = `${fileIn(folder)}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(linted));
  fs.renameSync(draft, fileIn(folder));
}

/** @param {string} file */
export function digestOf(file) {
  return crypto.createHash('sha256').update(fs.readFileSync(file)).digest('base64url');
}
