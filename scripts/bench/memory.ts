// What a process holds once its garbage is collected, as its inspector says (the Chrome DevTools Protocol, as Node speaks it).
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'undici';

/** In bytes: what the system has given it, and what of that is objects of JavaScript and buffers. */
export interface Held {
  resident: number;
  heap: number;
}

const OPEN_MS = 10_000;
const STEP_MS = 100;

/**
 * @param pid of a Node process that was started with `--inspect-port`
 * @throws when its inspector does not open
 */
export async function heldBy(pid: number, inspectPort: number): Promise<Held> {
  // Opens it; does nothing where it is open.
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await addressOf(inspectPort));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  let asked = 0;
  const ask = (method: string, params: object = {}): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++asked;
      socket.addEventListener('message', ({ data }) => {
        const answer = JSON.parse(String(data));
        if (answer.id === id) (answer.error ? reject : resolve)(answer.result ?? new Error(answer.error.message));
      });
      socket.addEventListener('close', () => reject(new Error('the inspector has gone')), { once: true });
      socket.send(JSON.stringify({ id, method, params }));
    });
  try {
    // What one collection lets go of may hold on to more.
    for (let i = 0; i < 3; i++) {
      await ask('HeapProfiler.collectGarbage');
      await pause(STEP_MS);
    }
    const { result } = await ask('Runtime.evaluate', { expression: 'process.memoryUsage()', returnByValue: true });
    const { rss, heapUsed, external } = result.value;
    return { resident: rss, heap: heapUsed + external };
  } finally {
    socket.close();
  }
}

async function addressOf(port: number): Promise<string> {
  for (let waited = 0; ; waited += STEP_MS) {
    try {
      const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as any[];
      return target.webSocketDebuggerUrl;
    } catch (error) {
      if (waited > OPEN_MS) throw error;
    }
    await pause(STEP_MS);
  }
}
