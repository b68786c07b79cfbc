import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock, haldirActor, HaldirError, stringifyJson, Unavailable, VERSION } from '@haldir/kernel';
import { AuditLog, LogProofs, LogTree, type TreeHead } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { EVIDENCE_VERSION, EvidenceWriter, type History, historyOf, verifierKey } from '@haldir/verifier';
import { WholeLog } from '@haldir/watch';
import { EvidenceChunks } from './evidence-chunks.js';
import { EvidenceFactsRepository, type StatedFile } from './evidence-facts.repository.js';
import { indexText } from './evidence-index.js';
import { type Evidence } from './evidence.entity.js';
import { EvidenceLeft, EvidenceTaken } from './evidence.errors.js';
import { EvidenceRepository } from './evidence.repository.js';

/** A package that was begun so often and not finished is given up. */
const MAX_ATTEMPTS = 10;
const LINES_AT_ONCE = 200;

/** Makes the packages that wait, one after the other. What is interrupted is made anew, and no part of it can be read. */
@Injectable()
export class EvidenceMaker implements OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly evidence: EvidenceRepository,
    private readonly facts: EvidenceFactsRepository,
    private readonly wholeLog: WholeLog,
    private readonly tree: LogTree,
    private readonly proofs: LogProofs,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** What is made right now is left to another process, before this one waits for its jobs. */
  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** Safe to run anywhere, any number of times. @throws Unavailable */
  async run(): Promise<void> {
    await this.evidence.purge(MAX_ATTEMPTS);
    while (!this.stopping.signal.aborted) {
      const claimed = await this.evidence.claim();
      if (!claimed) return;
      await this.make(claimed);
    }
  }

  private async make(evidence: Evidence): Promise<void> {
    const { tenantId, id } = evidence;
    const chunks = new EvidenceChunks(this.evidence, evidence, this.stopping.signal);
    try {
      await this.write(evidence, chunks);
    } catch (thrown) {
      const error = chunks.fault ?? thrown;
      if (error instanceof EvidenceTaken) return;
      if (error instanceof EvidenceLeft) return void (await this.evidence.release(evidence));
      if (error instanceof Unavailable) throw error;
      this.log.error({ event: 'evidence.failed', tenant_id: tenantId, evidence_id: id }, error);
      const reason = error instanceof HaldirError ? error.message : 'It could not be made; the operator’s log says why';
      await this.transactions.run(tenantId, async (tx) => {
        if (!(await this.evidence.in(tx).fail(evidence, reason))) return;
        const details = { evidence_id: id, reason };
        this.auditLog.record(tx, haldirActor(tenantId), {
          source: 'haldir',
          tool: 'haldir.evidence',
          action: 'evidence_failed',
          details,
        });
      });
    }
  }

  private async write(evidence: Evidence, chunks: EvidenceChunks): Promise<void> {
    const { tenantId, id } = evidence;
    const writer = new EvidenceWriter((bytes) => chunks.put(bytes));
    const lines = new Map<string, number>();
    const histories = new Map<History, number[]>();

    const { head, inPeriod } = await this.entries(evidence, writer, chunks, histories);
    lines.set('entries.jsonl', head.size + 1);
    await writer.file('checkpoints.jsonl', counted(this.checkpoints(head, chunks), 'checkpoints.jsonl', lines));
    const stated = (file: StatedFile): Promise<void> =>
      writer.file(file, counted(this.stated(file, evidence, chunks), file, lines));
    const copied = (file: History): Promise<void> =>
      writer.file(file, counted(this.copied(tenantId, histories.get(file) ?? [], chunks), file, lines));
    await stated('policies.jsonl');
    await copied('policy-history.jsonl');
    await stated('approvals.jsonl');
    await stated('people.jsonl');
    await stated('keys.jsonl');
    await copied('access-history.jsonl');
    const madeAt = this.clock.now();
    await writer.file('evidence.json', [`${JSON.stringify(describe(evidence, head, madeAt, inPeriod), null, 2)}\n`]);
    const { from, to, madeByLabel: madeBy } = evidence;
    await writer.file('INDEX.txt', [
      indexText({ tenantId, from, to, madeAt, madeBy, origin: head.origin, treeSize: head.size, lines }),
    ]);
    await writer.end((length, sha256) => this.tree.signEvidence(tenantId, length, sha256));
    const sha256 = await chunks.end();

    await this.transactions.run(tenantId, async (tx) => {
      if (!(await this.evidence.in(tx).finish(evidence, chunks.size, sha256))) throw new EvidenceTaken();
      const details = {
        evidence_id: id,
        from: from.toISOString(),
        to: to.toISOString(),
        size: chunks.size,
        sha256: sha256.toString('hex'),
        tree_size: head.size,
        asked_by: evidence.madeBy,
      };
      this.auditLog.record(tx, haldirActor(tenantId), {
        source: 'haldir',
        tool: 'haldir.evidence',
        action: 'evidence_made',
        details,
      });
    });
  }

  /** Writes the log; answers the head that it ends with, and how many entries are of the period. */
  private async entries(
    { tenantId, from, to }: Evidence,
    writer: EvidenceWriter,
    chunks: EvidenceChunks,
    histories: Map<History, number[]>,
  ): Promise<{ head: TreeHead; inPeriod: number }> {
    let head = await this.wholeLog.headBehind(tenantId, to);
    chunks.total = head.size;
    // Times are milliseconds where they come from, and the last one counts to its end.
    const [first, last] = [BigInt(from.getTime()) * 1000n, BigInt(to.getTime()) * 1000n + 999n];
    let inPeriod = 0;
    const log = this.wholeLog.lines(head, (entry) => {
      chunks.done = entry.seq + 1;
      if (entry.atMicros >= first && entry.atMicros <= last) inPeriod++;
      const history = historyOf(entry);
      if (!history) return;
      const positions = histories.get(history) ?? [];
      positions.push(entry.seq);
      histories.set(history, positions);
    });
    const text = async function* (): AsyncGenerator<string> {
      for (;;) {
        const { done, value } = await log.next();
        if (done) {
          head = value;
          chunks.total = head.size;
          return;
        }
        yield value;
        await chunks.say();
      }
    };
    await chunks.say();
    await writer.file('entries.jsonl', text());
    return { head, inPeriod };
  }

  private async *checkpoints(head: TreeHead, chunks: EvidenceChunks): AsyncGenerator<string> {
    for (const checkpoint of await this.wholeLog.olderCheckpoints(head)) {
      const size = Number(checkpoint.split('\n')[1]);
      const proof = await this.proofs.consistency(head.tenantId, size, head.size);
      if (!proof) throw new Error('a log holds what was signed of it');
      yield `${JSON.stringify({ checkpoint, consistency_path: proof.path.map((hash) => hash.toString('hex')) })}\n`;
      await chunks.say();
    }
  }

  private async *stated(
    file: StatedFile,
    { tenantId, from, to }: Evidence,
    chunks: EvidenceChunks,
  ): AsyncGenerator<string> {
    for await (const rows of this.facts.of(file, tenantId, from, to)) {
      for (const row of rows) yield `${stringifyJson(row)}\n`;
      await chunks.say();
    }
  }

  private async *copied(tenantId: string, positions: number[], chunks: EvidenceChunks): AsyncGenerator<string> {
    for (let i = 0; i < positions.length; i += LINES_AT_ONCE) {
      yield await this.wholeLog.linesAt(tenantId, positions.slice(i, i + LINES_AT_ONCE));
      await chunks.say();
    }
  }
}

async function* counted(
  pieces: AsyncGenerator<string>,
  file: string,
  lines: Map<string, number>,
): AsyncGenerator<string> {
  let count = 0;
  for await (const piece of pieces) {
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) count++;
    yield piece;
  }
  lines.set(file, count);
}

function describe(evidence: Evidence, head: TreeHead, madeAt: Date, inPeriod: number): Record<string, unknown> {
  const { tenantId, id, from, to, madeBy, madeByLabel } = evidence;
  return {
    type: 'haldir_evidence',
    format_version: EVIDENCE_VERSION,
    evidence_id: id,
    tenant_id: tenantId,
    period: { from: from.toISOString(), to: to.toISOString() },
    made_at: madeAt.toISOString(),
    made_by: { id: madeBy, label: madeByLabel },
    haldir_version: VERSION,
    origin: head.origin,
    verifier_key: verifierKey(head),
    tree_size: head.size,
    root_hash: head.root.toString('hex'),
    entries_in_period: inPeriod,
  };
}
