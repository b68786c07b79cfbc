import { withDeadline } from './with-deadline.js';

const error = (why: string): Error => new Error(why);

describe('work with a deadline', () => {
  it('answers, or fails, as the work does', async () => {
    await expect(withDeadline(Promise.resolve(1), { ms: 10_000, error })).resolves.toBe(1);
    await expect(withDeadline(Promise.reject(new Error('own')), { ms: 10_000, error })).rejects.toThrow('own');
  });

  it('ends at its time, or when it is broken off, also before it began', async () => {
    const never = new Promise<never>(() => undefined);
    await expect(withDeadline(never, { ms: -5, error })).rejects.toThrow('timeout');
    const controller = new AbortController();
    const waiting = withDeadline(never, { ms: 10_000, signal: controller.signal, error });
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await expect(withDeadline(never, { ms: 10_000, signal: controller.signal, error })).rejects.toThrow('aborted');
  });

  it('leaves work that fails afterwards to itself', async () => {
    let fail = (): void => undefined;
    const late = new Promise<never>((_, reject) => (fail = () => reject(new Error('late'))));
    await expect(withDeadline(late, { ms: 1, error })).rejects.toThrow('timeout');
    fail();
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
