import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { checkRootKeys, KeyRing } from '@haldir/crypto';
import { createLogger, runProcess, RuntimeModule } from '@haldir/runtime';
import { WorkerModule } from './worker.module.js';

await runProcess('worker', async (config) => {
  await checkRootKeys(config);
  const log = createLogger(config.logLevel);

  @Module({ imports: [RuntimeModule.with(config, 'worker', log), WorkerModule] })
  class WorkerProcess {}

  const app = await NestFactory.create<NestFastifyApplication>(WorkerProcess, new FastifyAdapter({ logger: false }), {
    logger: log.nest,
    abortOnError: false,
  });
  await app.get(KeyRing).load();
  await app.listen({ port: config.worker.port, host: config.worker.host });
  return { app, port: (app.getHttpServer().address() as { port: number }).port };
});
