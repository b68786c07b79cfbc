import { Readable } from 'node:stream';
import { Controller, Get, Headers, HttpStatus, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { InvalidInput } from '@haldir/kernel';
import {
  type Caller,
  Callers,
  CurrentCaller,
  grantsKeyScope,
  type HaldirReply,
  type HaldirRequest,
  type KeyScope,
  Refuses,
  RequiresScope,
  Waits,
} from '@haldir/http';
import { type AuditEntry } from '../audit-trail.repository.js';
import { LogTails, type Step } from '../log-tails.js';
import { FollowAuditEntries, toAuditFilter } from './audit-filter.dto.js';
import { toAuditEntryItem } from './audit.dto.js';

const SCOPE: KeyScope = 'audit:read';
/** A connection on which nothing is said for longer may be taken for dead by those on the way. */
const QUIET_MS = 15_000;
/** How soon a stream ends whose key or sign-in has. */
const STANDING_MS = 2_000;

/** The log as it grows, for who looks on. */
@ApiTags('watch', 'audit')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly tails: LogTails,
    private readonly callers: Callers,
  ) {}

  @Get()
  @RequiresScope(SCOPE)
  @Waits()
  @ApiOperation({
    operationId: 'followAuditTrail',
    summary: 'Follow the audit trail',
    description:
      'Entries as they are appended, mostly within a second, as server-sent events: `event: entry`, its `data` as getAuditTrail answers it, its `id` its `leaf_index`. Whoever comes back with the last `id` as `Last-Event-ID` is told what came meanwhile, each entry once, at whichever process. `since` has it begin earlier. A stream ends with its key or sign-in, and with the process.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    schema: { type: 'string', pattern: '^[0-9]{1,15}$' },
    description:
      '`id` of the last event that is known already. The `EventSource` of browsers sends no key: read the stream with `fetch`',
  })
  @ApiResponse({
    status: HttpStatus.OK,
    description: 'Entries, oldest first, without end',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async follow(
    @CurrentCaller() { actor }: Caller,
    @Query({ schema: FollowAuditEntries }) query: FollowAuditEntries,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<StreamableFile> {
    const gone = new AbortController();
    if (reply.raw.closed) gone.abort();
    else reply.raw.once('close', () => gone.abort());
    const steps = await this.tails.follow({
      tenantId: actor.tenantId,
      actorId: actor.id,
      filter: toAuditFilter(query),
      after: positionIn(lastEventId),
      signal: gone.signal,
    });
    void reply.headers({ 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
    return new StreamableFile(Readable.from(this.events(steps, request)), { type: 'text/event-stream' });
  }

  private async *events(steps: AsyncGenerator<Step>, request: HaldirRequest): AsyncGenerator<string> {
    // It begins before there is anything to say, with what to come back with.
    let [saidAt, stoodAt] = [-Infinity, performance.now()];
    for await (const { entries, position } of steps) {
      const now = performance.now();
      if (now - stoodAt >= STANDING_MS) {
        const caller = await this.callers.standing(request);
        if (!caller || !grantsKeyScope(caller.scopes, SCOPE)) return;
        stoodAt = now;
      }
      if (entries.length === 0 && now - saidAt < QUIET_MS) continue;
      saidAt = now;
      yield entries.length > 0 ? entries.map(toEvent).join('') : `${position > 0 ? `id: ${position - 1}\n` : ''}:\n\n`;
    }
  }
}

/** Of entries that several are told of together. */
const written = new WeakMap<AuditEntry, string>();

/** As the HTML standard, "Server-sent events", has it. JSON has no line breaks. */
function toEvent(entry: AuditEntry): string {
  const before = written.get(entry);
  if (before !== undefined) return before;
  const text = `id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(toAuditEntryItem(entry))}\n\n`;
  written.set(entry, text);
  return text;
}

/** @throws InvalidInput */
function positionIn(lastEventId: string | undefined): number | null {
  if (lastEventId === undefined || lastEventId === '') return null;
  if (!/^\d{1,15}$/.test(lastEventId)) throw new InvalidInput('Last-Event-ID: expected the id of an event');
  return Number(lastEventId);
}
