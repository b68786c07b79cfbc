import { ConfigError } from './config-error.js';
import { HaldirConfig } from './haldir-config.js';
import { Log } from './log.js';

interface RunningApp {
  get<T>(token: abstract new (...args: never[]) => T): T;
  close(): Promise<void>;
}

/** EX_CONFIG of sysexits.h: a setting is wrong; starting again changes nothing. */
const EXIT_CONFIG = 78;
/** How long a process whose launcher is gone, and its database with it, still tries to end in order. */
const LAUNCHER_GONE_MS = 5_000;

/**
 * The life of a process: settings, start, and an orderly end on SIGTERM, SIGINT, or when the launcher that started it is gone.
 * A setting that is wrong, a port that is taken, a database that is not there stop the start with one line.
 */
export async function runProcess(
  name: 'api' | 'worker',
  start: (config: HaldirConfig) => Promise<{ app: RunningApp; port: number }>,
): Promise<void> {
  // Also while it starts, which it must not finish for nobody.
  let whenAlone = (): void => void setTimeout(() => process.exit(1), LAUNCHER_GONE_MS);
  // Unlike undefined, which it is for a process that nobody launched so.
  let isAlone = process.connected === false;
  if (isAlone) whenAlone();
  process.once('disconnect', () => {
    isAlone = true;
    whenAlone();
  });
  try {
    const config = new HaldirConfig(process.env, name);
    const { app, port } = await start(config);
    const log = app.get(Log);
    log.info({ event: `${name}.started`, port, pid: process.pid });
    let ending = false;
    const end = (reason: string, withinMs = config.shutdownTimeoutMs): void => {
      if (ending) return;
      ending = true;
      log.info({ event: `${name}.stopping`, reason });
      setTimeout(() => process.exit(1), withinMs).unref();
      void app.close().then(
        () => {
          log.info({ event: `${name}.stopped` });
          log.flush(() => process.exit(0));
        },
        (error: unknown) => {
          log.error({ event: `${name}.stop_failed` }, error);
          log.flush(() => process.exit(1));
        },
      );
    };
    process.on('SIGTERM', () => end('SIGTERM'));
    process.on('SIGINT', () => end('SIGINT'));
    whenAlone = () => end('launcher gone', Math.min(LAUNCHER_GONE_MS, config.shutdownTimeoutMs));
    if (isAlone) whenAlone();
    process.on('unhandledRejection', (error) => log.error({ event: `${name}.unhandled_rejection` }, error));
  } catch (error) {
    process.stderr.write(`haldir ${name}: ${explain(error)}\n`);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use; choose another, for example PORT=3002`;
  if (code === 'ECONNREFUSED') return 'DATABASE_URL names a database that does not answer';
  if (code === '42P01') return 'the database has no schema yet; run npm run migrate first';
  return error instanceof ConfigError ? error.message : `could not start: ${error.message}`;
}
