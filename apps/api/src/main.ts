import 'reflect-metadata';
import { checkRootKeys } from '@haldir/crypto';
import { runProcess } from '@haldir/runtime';
import { createApi } from './create-api.js';

/** Connections that may wait to be taken while the process is busy, if the system lets so many; beyond them clients are reset. */
const BACKLOG = 4096;

await runProcess('api', async (config) => {
  await checkRootKeys(config);
  const app = await createApi(config);
  await app.listen({ port: config.http.port, host: config.http.host, backlog: BACKLOG });
  return { app, port: (app.getHttpServer().address() as { port: number }).port };
});
