/** Why a wait ended before what it was for. */
export type CutShort = 'timeout' | 'aborted';

export interface Deadline {
  /** From now on; at least one is waited. */
  ms: number;
  signal?: AbortSignal | undefined;
  /** What the wait ends with then. */
  error: (why: CutShort) => Error;
}

/** Waits for work no longer than it may take. The work goes on; whatever becomes of it later is nobody's to handle. */
export async function withDeadline<T>(work: Promise<T>, { ms, signal, error }: Deadline): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const cut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error('timeout')), Math.max(1, Math.ceil(ms)));
    onAbort = () => reject(error('aborted'));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}
