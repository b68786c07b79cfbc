// The side of a benchmark's process that does the work. It ends when the benchmark that started it is gone.
import { type Server } from 'node:http';

/**
 * Says that this process is ready and answers each job it is given.
 *
 * @param facts what the benchmark should know of it, such as its port
 */
export function serve(facts: object, work: (job: any) => Promise<object> | object) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ id, job }: { id: number; job: object }) => {
    void Promise.resolve()
      .then(() => work(job))
      .then(
        (result) => process.send?.({ id, result }),
        (error) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.send?.({ ready: facts });
}

/**
 * Listens on a free loopback port.
 *
 * @returns the port
 */
export function listen(server: Server): Promise<number> {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}
