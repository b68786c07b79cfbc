import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi, startWorker, testEnvironment } from '@haldir/test-support';

describe('in production, without a root key', () => {
  it.each([
    ['API', startApi],
    ['worker', startWorker],
  ])('the %s does not start, says why in one line, and makes no key up', async (_, start) => {
    const home = mkdtempSync(join(tmpdir(), 'haldir-home-'));
    const environment = await testEnvironment({ HALDIR_EGRESS_ALLOW: '', HALDIR_HOME: home });
    delete environment['HALDIR_ROOT_KEYS'];
    delete environment['HALDIR_EMBEDDED'];
    const refusal = await start(environment).catch((error: unknown) => String(error));
    const expected =
      /^Error: the (api|worker) process did not become ready:\nhaldir \1: HALDIR_ROOT_KEYS is missing.*\n$/;
    expect(refusal).toEqual(expect.stringMatching(expected));
    expect(readdirSync(home)).toEqual([]);
    rmdirSync(home);
  });
});
