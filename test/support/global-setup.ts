import 'reflect-metadata';
import { Client } from 'pg';
import { type TestProject } from 'vitest/node';
import { startPostgres } from '../../scripts/embedded/postgres.mjs';
import { openScratch } from '../../scripts/embedded/scratch.mjs';
import { TEMPLATE } from './database.js';
import { migrateAll } from './postgres.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** An administrator's URL of the server that holds every test database. */
    postgresUrl: string;
  }
}

interface Server {
  url: string;
  stop: () => Promise<void>;
}

let server: Promise<Server> | null = null;
let users = 0;

/**
 * Gives the tests a server with one migrated template database, from which each makes its own. The server is the one of
 * HALDIR_TEST_POSTGRES_URL, or one started for this run. The projects of one run share it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  users += 1;
  server ??= start();
  const { url, stop } = await server;
  project.provide('postgresUrl', url);
  return async () => {
    users -= 1;
    if (users === 0) await stop();
  };
}

async function start(): Promise<Server> {
  const given = process.env.HALDIR_TEST_POSTGRES_URL;
  const started = given === undefined || given === '' ? await startOwn() : { url: given, stop: () => dropAll(given) };
  try {
    await makeTemplate(started.url);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return started;
}

async function makeTemplate(url: string): Promise<void> {
  await dropAll(url);
  await asAdmin(url, async (admin) => {
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  });
  const template = new URL(url);
  template.pathname = `/${TEMPLATE}`;
  await migrateAll(template.href);
}

async function startOwn(): Promise<Server> {
  const scratch = await openScratch();
  const postgres = await startPostgres({ dir: scratch.dir, password: 'test', durable: false, superuser: true });
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop();
      await scratch.remove();
    },
  };
}

/** Removes the databases of an earlier run on the same server. */
async function dropAll(url: string): Promise<void> {
  await asAdmin(url, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname = $1 OR datname LIKE 'haldir\\_test\\_%'`,
      [TEMPLATE],
    );
    for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  });
}

async function asAdmin(url: string, work: (admin: Client) => Promise<void>): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
