import { EventEmitter } from 'node:events';
import { WorkerHost } from '@nestjs/bullmq';
import { type DiscoveryService } from '@nestjs/core';
import { type Clock, Unavailable } from '@haldir/kernel';
import { type Log, type Metrics } from '@haldir/runtime';
import { type QueueConnection } from './queue-connection.js';
import { QueueWatch } from './queue-watch.js';

class Host extends WorkerHost {
  readonly events = Object.assign(new EventEmitter(), { name: 'deliveries' });
  override get worker(): never {
    return this.events as never;
  }
  process(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the log says of a job that failed so. */
function saidOf(...errors: Error[]): unknown[] {
  const said: unknown[] = [];
  const log = {
    warn: ({ event, reason }: { event: string; reason: string }) => said.push(['warn', event, reason]),
    error: ({ event, queue, job }: Record<string, string>) => said.push(['error', event, queue, job]),
  };
  const host = new Host();
  const discovery = { getProviders: () => [{ instance: host }] };
  new QueueWatch(
    ...([
      {} as QueueConnection,
      discovery as unknown as DiscoveryService,
      { gauge: () => undefined } as unknown as Metrics,
    ] as const),
    ...([{} as Clock, log as unknown as Log] as const),
  ).onApplicationBootstrap();
  for (const error of errors) host.events.emit('failed', { id: '7' }, error);
  return said;
}

describe('a job that failed', () => {
  it('is an error, with its queue and id', () => {
    expect(saidOf(new TypeError('x is not a function'))).toEqual([['error', 'job.failed', 'deliveries', '7']]);
  });

  it('because a store is away is no error of its own, however many fail so', () => {
    const lost = () => new Error('Connection terminated unexpectedly');
    expect(saidOf(lost(), lost(), new Unavailable(), new Unavailable())).toEqual([
      ['warn', 'queue.error', 'Connection terminated unexpectedly'],
      ['warn', 'job.database_away', 'unavailable'],
    ]);
  });
});
