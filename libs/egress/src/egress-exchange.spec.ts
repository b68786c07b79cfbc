import { constants, gzipSync } from 'node:zlib';
import { type Dispatcher } from 'undici';
import { failureOf } from '@haldir/test-support';
import { Exchange } from './egress-exchange.js';

const TEXT = 'all of it '.repeat(20_000);
const PIECE = gzipSync(TEXT, { finishFlush: constants.Z_SYNC_FLUSH });

let exchange: Exchange;
let settled: number;
let controller: Dispatcher.DispatchController;
/** The head of an answer in gzip and what it came to so far, which is not decoded yet. */
function begin(maxResponseBytes = 1024 * 1024): void {
  settled = 0;
  const limits = { maxResponseBytes, onOverflow: 'fail', decode: true, endless: false } as const;
  exchange = new Exchange(limits, () => settled++, () => undefined); // prettier-ignore
  // The pool says that a request is over also when it was told so.
  controller = { abort: (error: Error) => exchange.onResponseError(controller, error) } as typeof controller;
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 200, { 'content-encoding': 'gzip' });
  exchange.onResponseData(controller, PIECE);
}
/** All that is handed on, then how it failed. */
async function read(): Promise<[text: string, reason: string]> {
  const chunks: Buffer[] = [];
  const { reason } = await failureOf(
    (async () => {
      for (let chunk = await exchange.next(); chunk; chunk = await exchange.next()) chunks.push(chunk);
    })(),
  );
  return [Buffer.concat(chunks).toString(), reason];
}

describe('what came of an answer and is not decoded yet', () => {
  it.each([
    ['reset', () => exchange.onResponseError(controller, Object.assign(new Error('gone'), { code: 'UND_ERR_SOCKET' }))],
    ['timeout', () => exchange.stop('timeout')],
  ] as const)('is handed on before the failure: %s', async (reason, end) => {
    begin();
    end();
    // Whatever comes afterwards is no part of it.
    exchange.onResponseData(controller, PIECE);
    const [text, failure] = await read();
    expect([text === TEXT, failure, settled]).toEqual([true, reason, 1]);
  });

  it('is given up at once when nobody waits for it', async () => {
    begin();
    exchange.stop('timeout');
    exchange.stop('aborted');
    expect(settled).toBe(1);
    expect(await read()).toEqual(['', 'aborted']);
  });

  it('is bounded as ever', async () => {
    begin(TEXT.length - 1);
    exchange.stop('timeout');
    expect((await read())[1]).toBe('too_large');
    expect(settled).toBe(1);
  });
});
