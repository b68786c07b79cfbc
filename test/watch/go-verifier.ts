import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

type Json = Record<string, unknown>;

const root = join(import.meta.dirname, '..', '..');

/** Whether Go and its libraries of transparency logs are installed. */
export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0 && existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog');
}

/** What Go says of each item: `ok`, or why it refuses it. */
export async function askGo(items: Json[], cache: string): Promise<string[]> {
  const child = spawn('go', ['run', join(root, 'test', 'interop', 'verify.go')], {
    env: {
      ...process.env,
      GOPATH: '/usr/share/gocode',
      GO111MODULE: 'off',
      GOFLAGS: '',
      GOCACHE: cache,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.end(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  return output.trimEnd().split('\n');
}

/** The item with one character of one of its hashes, or of its note, changed. */
export function flip(item: Json, random: () => number): Json {
  const path = item['path'] as string[] | undefined;
  const places = [
    ...(path && path.length > 0 ? ['path'] : []),
    ...(item['leaf'] ? ['leaf'] : []),
    ...(item['first_root'] ? ['first_root'] : []),
    'note',
  ];
  const place = places[Math.floor(random() * places.length)] as string;
  if (place === 'path' && path) {
    const at = Math.floor(random() * path.length);
    return { ...item, path: path.map((hash, i) => (i === at ? flipHex(hash, random) : hash)) };
  }
  if (place !== 'note') return { ...item, [place]: flipHex(String(item[place]), random) };
  const note = String(item['note']);
  // The last digit of the base64 text holds two bits that mean nothing.
  const at = note.length - 4 - Math.floor(random() * 80);
  return { ...item, note: note.slice(0, at) + (note[at] === 'A' ? 'B' : 'A') + note.slice(at + 1) };
}

function flipHex(hash: string, random: () => number): string {
  const at = Math.floor(random() * hash.length);
  return hash.slice(0, at) + (hash[at] === '0' ? '1' : '0') + hash.slice(at + 1);
}

/** A small generator of numbers from 0 to 1 that gives the same ones for the same seed. */
export function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
