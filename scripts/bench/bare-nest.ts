// The yardstick: Nest on Fastify with one controller and nothing else.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { serve } from './child.js';
import { type AddressInfo } from 'node:net';

class HelloController {
  hello() {
    return { service: 'hello', ok: true, count: 1 };
  }
}
const hello = Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello') as PropertyDescriptor;
Get('hello')(HelloController.prototype, 'hello', hello);
Controller()(HelloController);

class HelloModule {}
Module({ controllers: [HelloController] })(HelloModule);

const app = await NestFactory.create(HelloModule, new FastifyAdapter({ logger: false }), { logger: false });
await app.listen(0, '127.0.0.1');
serve({ port: (app.getHttpServer().address() as AddressInfo).port }, () => ({}));
