// @ts-check
import fs from 'node:fs';
import { parse } from 'yaml';

/** @typedef {Record<string, string | undefined>} Variables */

/**
 * A Compose file as an engine would read it: its variables filled in, its merges and anchors resolved.
 *
 * @param {string} file
 * @param {Variables} [variables] what a shell or `.env` would say
 * @returns {any}
 * @throws when it is no YAML
 */
export function readCompose(file, variables = {}) {
  return filled(parse(fs.readFileSync(file, 'utf8'), { merge: true }), variables);
}

/**
 * @param {unknown} value
 * @param {Variables} variables
 * @returns {unknown}
 */
function filled(value, variables) {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((item) => filled(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, variables)]));
}

/**
 * `$$`, `${NAME}` and `${NAME:-default}`; no other form of the specification is used here, and none is let through.
 *
 * @param {string} text
 * @param {Variables} variables
 */
function interpolate(text, variables) {
  return text.replace(/\$(?:\$|\{(\w+)(?::-([^}]*))?\}|)/g, (match, name, fallback) => {
    if (match === '$$') return '$';
    if (name === undefined) throw new Error(`a $ that names no variable: ${text}`);
    return variables[name] || (fallback ?? '');
  });
}
