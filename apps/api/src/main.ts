import 'reflect-metadata';
import { checkRootKeys } from '@haldir/crypto';
import { runProcess } from '@haldir/runtime';
import { createApi } from './create-api.js';

await runProcess('api', async (config) => {
  await checkRootKeys(config);
  const app = await createApi(config);
  await app.listen({ port: config.http.port, host: config.http.host });
  return { app, port: (app.getHttpServer().address() as { port: number }).port };
});
