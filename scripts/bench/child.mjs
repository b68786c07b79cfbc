// @ts-check
// The side of a benchmark's process that does the work. It ends when the benchmark that started it is gone.

/**
 * Says that this process is ready and answers each job it is given.
 *
 * @param {object} facts what the benchmark should know of it, such as its port
 * @param {(job: any) => Promise<object> | object} work
 */
export function serve(facts, work) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (/** @type {{ id: number, job: object }} */ { id, job }) => {
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
 * @param {import('node:http').Server} server
 * @returns {Promise<number>} the port
 */
export function listen(server) {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}
