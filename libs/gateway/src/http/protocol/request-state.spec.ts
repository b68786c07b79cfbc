import { passState, unwrapState, wrapState } from './request-state.js';

describe('what a request carries for its upstream', () => {
  it('comes back as it was, whatever it holds', () => {
    for (const carried of [
      {},
      { state: 'round-1' },
      { responses: { é: { action: 'accept' } } },
      { responses: {}, state: '' },
    ])
      expect(unwrapState(wrapState(carried))).toEqual(carried);
  });

  it('is the upstream’s own state where nothing was asked in between, also when that looks like one of these', () => {
    expect(passState('round-1')).toBe('round-1');
    expect(unwrapState('round-1')).toEqual({ state: 'round-1' });
    const alike = wrapState({ state: 'inner', responses: { a: 1 } });
    expect(passState(alike)).not.toBe(alike);
    expect(unwrapState(passState(alike))).toEqual({ state: alike });
  });

  it('is refused when it was changed on its way', () => {
    for (const state of ['haldir:', 'haldir:x', `haldir:${Buffer.from('[1]').toString('base64url')}`])
      expect(() => unwrapState(state)).toThrow('params.requestState');
  });

  it('holds no more than a client may send', () => {
    const forged = Buffer.from(JSON.stringify({ responses: 1, state: {}, more: true })).toString('base64url');
    expect(unwrapState(`haldir:${forged}`)).toEqual({});
  });

  it('has numbers as they were written', () => {
    const text = '{"responses":{"a":1e400,"b":1.0}}';
    const carried = unwrapState(`haldir:${Buffer.from(text).toString('base64url')}`);
    expect(Buffer.from(wrapState(carried).slice(7), 'base64url').toString()).toBe(text);
  });

  it('is refused where its bytes are not UTF-8', () => {
    expect(() => unwrapState(`haldir:${Buffer.from('{"state":"é"}', 'latin1').toString('base64url')}`)).toThrow(
      'params.requestState',
    );
  });

  it.each([
    ['half a character', String.raw`{"responses":{"a":"\ud800"}}`],
    ['NUL', String.raw`{"state":"\u0000"}`],
    ['a name that is none', '{"responses":{"__proto__":{}}}'],
    ['more nesting than anyone walks', `{"responses":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
  ])('holds nothing that a client may not send: %s', (_, text) => {
    expect(() => unwrapState(`haldir:${Buffer.from(text).toString('base64url')}`)).toThrow('params.requestState');
  });
});
