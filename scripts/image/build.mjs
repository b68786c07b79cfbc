// @ts-check
// Does what a Dockerfile says, stage by stage, without an engine.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../embedded/home.mjs';
import { makeBox, spawnIn } from './box.mjs';
import { buildContext, readDockerfile, words } from './dockerfile.mjs';

/**
 * @typedef {object} Image
 * @property {string} dir its root directory
 * @property {string} workdir
 * @property {Record<string, string>} env
 * @property {'root' | 'node'} user
 * @property {string[]} command
 * @property {string[]} healthcheck
 */

/**
 * @param {string} root the repository
 * @param {string} scratch where the stages go
 * @param {(title: string, work: () => Promise<void>) => Promise<void>} step tells of what takes its time
 * @returns {Promise<Image>} the last stage
 * @throws OperatorError with what a step has said, when it fails
 */
export async function buildImage(root, scratch, step) {
  /** @type {Record<string, Image>} */
  const built = {};
  /** @type {Image | undefined} */
  let image;
  for (const { name, base, instructions } of readDockerfile(path.join(root, 'Dockerfile'))) {
    if (!/^node:\d+-/.test(base)) throw new OperatorError(`the walk stands in for images of Node, not for ${base}`);
    image = { dir: path.join(scratch, name), workdir: '/', env: {}, user: 'root', command: [], healthcheck: [] };
    built[name] = image;
    makeBox(image.dir);
    for (const { word, rest } of instructions) await follow(word, rest, image, { root, built, step });
  }
  if (!image) throw new OperatorError('the Dockerfile has no stage');
  return image;
}

/**
 * @param {string} word
 * @param {string} rest
 * @param {Image} image
 * @param {{ root: string, built: Record<string, Image>, step: (title: string, work: () => Promise<void>) => Promise<void> }} more
 */
async function follow(word, rest, image, { root, built, step }) {
  if (word === 'WORKDIR') {
    image.workdir = rest;
    fs.mkdirSync(path.join(image.dir, rest), { recursive: true });
  } else if (word === 'ENV') {
    Object.assign(image.env, Object.fromEntries(words(rest).map((pair) => pair.split('='))));
  } else if (word === 'USER') {
    if (rest !== 'root' && rest !== 'node') throw new OperatorError(`the image of Node has no user ${rest}`);
    image.user = rest;
  } else if (word === 'COPY') {
    copy(rest, image, root, built);
  } else if (word === 'RUN') {
    await step(`RUN ${rest}`, () => runStep(rest, image));
  } else if (word === 'CMD') {
    image.command = words(rest);
  } else if (word === 'HEALTHCHECK') {
    image.healthcheck = words(rest.slice(rest.indexOf('CMD') + 3).trim());
  }
}

/**
 * @param {string} rest
 * @param {Image} image
 * @param {string} root
 * @param {Record<string, Image>} built
 */
function copy(rest, image, root, built) {
  const all = words(rest);
  const from = all.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const places = all.filter((word) => !word.startsWith('--'));
  const target = places.pop() ?? '';
  const source = from === undefined ? root : built[from]?.dir;
  if (source === undefined) throw new OperatorError(`COPY ${rest}: there is no such stage`);
  const isSent = from === undefined ? buildContext(root) : () => true;
  for (const place of places) {
    const original = path.join(source, place);
    if (!fs.existsSync(original) || !(fs.statSync(original).isDirectory() || isSent(place))) {
      throw new OperatorError(`COPY ${rest}: ${place} is not there, or .dockerignore keeps it back`);
    }
    const to = path.resolve('/', image.workdir, target, target.endsWith('/') ? path.basename(place) : '');
    const destination = path.join(image.dir, to);
    if (from !== undefined) link(original, destination);
    else {
      fs.cpSync(original, destination, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (file) => fs.lstatSync(file).isDirectory() || isSent(path.relative(source, file)),
      });
    }
  }
}

/**
 * A copy that shares its files, which are written by nobody any more.
 *
 * @param {string} from
 * @param {string} to
 */
function link(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  const { status, stderr } = spawnSync('cp', ['-al', '--no-target-directory', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new OperatorError(`copying ${from} failed: ${stderr}`);
}

/**
 * @param {string} command
 * @param {Image} image
 * @returns {Promise<void>}
 */
function runStep(command, image) {
  const { env, volumes } = builder();
  const child = spawnIn(
    image.dir,
    {
      command: ['sh', '-c', command],
      workdir: image.workdir,
      env: { ...env, ...image.env, HOME: '/root' },
      user: image.user,
      volumes,
    },
    ['ignore', 'pipe', 'pipe'],
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new OperatorError(`RUN ${command} ended with ${code}:\n${said.slice(-4000)}`)),
    );
  });
}

/** How this machine reaches the registry of packages: its proxy and its certificates. */
function builder() {
  const names = /^(https?_proxy|no_proxy|npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, text]) => (names.test(name) && text ? [[name, text]] : [])),
  );
  const home = process.env.HOME ?? '/root';
  const files = [env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE].filter((file) => file !== undefined);
  const volumes = [
    ...files.map((file) => ({ from: file, to: file, readOnly: true })),
    { from: path.join(home, '.npmrc'), to: '/root/.npmrc', readOnly: true },
  ];
  return { env, volumes: volumes.filter(({ from }) => fs.existsSync(from)) };
}
