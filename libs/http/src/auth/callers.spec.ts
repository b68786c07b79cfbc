import { type Authenticator } from './authenticator.js';
import { type HaldirRequest } from './caller.js';
import { Callers } from './callers.js';

describe('a request that stays open', () => {
  it('is no further request when it is looked whether its key still stands', async () => {
    const counted: [string, boolean][] = [];
    let isGood = true;
    const callers = new Callers({
      authenticate: (key: string, isRequest: boolean) => {
        counted.push([key, isRequest]);
        return Promise.resolve(isGood ? { keyId: key } : null);
      },
    } as unknown as Authenticator);
    const request = { headers: { authorization: 'Bearer hld_1' } } as HaldirRequest;
    await callers.of(request);
    expect(await callers.standing(request)).toEqual({ keyId: 'hld_1' });
    isGood = false;
    expect(await callers.standing(request)).toBeNull();
    expect(counted).toEqual([
      ['hld_1', true],
      ['hld_1', false],
      ['hld_1', false],
    ]);
  });
});
