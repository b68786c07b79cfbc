// @ts-check
// The yardstick: Nest on Fastify with one controller and nothing else.
import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { serve } from './child.mjs';

class HelloController {
  hello() {
    return { service: 'hello', ok: true, count: 1 };
  }

  /** @param {object} body */
  echo(body) {
    return body;
  }
}
decorate(HelloController, 'hello', Get('hello'));
decorate(HelloController, 'echo', Post('echo'), HttpCode(200));
Body()(HelloController.prototype, 'echo', 0);
Controller()(HelloController);

class HelloModule {}
Module({ controllers: [HelloController] })(HelloModule);

const app = await NestFactory.create(HelloModule, new FastifyAdapter({ logger: false }), { logger: false });
await app.listen(0, '127.0.0.1');
serve({ port: /** @type {import('node:net').AddressInfo} */ (app.getHttpServer().address()).port }, () => ({}));

/**
 * @param {Function} type
 * @param {string} method
 * @param {...MethodDecorator} decorators
 */
function decorate(type, method, ...decorators) {
  const descriptor = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(type.prototype, method));
  for (const decorator of decorators) decorator(type.prototype, method, descriptor);
}
