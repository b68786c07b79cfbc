import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { HaldirConfig } from '@haldir/runtime';
import { expect, it } from 'vitest';
import { Egress } from './egress.js';
import { EgressModule } from './egress.module.js';

@Global()
@Module({
  providers: [{ provide: HaldirConfig, useValue: { egress: { allow: ['127.0.0.0/8'] } } }],
  exports: [HaldirConfig],
})
class Settings {}

it('provides one Egress with the allow-list of the settings, closed at shutdown', async () => {
  const app = await Test.createTestingModule({ imports: [Settings, EgressModule] }).compile();
  const egress = app.get(Egress);
  expect(egress.policy.isAllowed('127.0.0.1')).toBe(true);
  expect(egress.policy.isAllowed('10.0.0.1')).toBe(false);
  await app.close();
  await expect(
    egress.request({ method: 'GET', url: 'http://127.0.0.1:9999/', deadlineMs: 100, maxResponseBytes: 1 }),
  ).rejects.toThrow('closed');
});
