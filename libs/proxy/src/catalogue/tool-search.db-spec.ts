import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { Upstream, UpstreamName } from '../upstreams/upstream.entity.js';
import { NO_LIMITS } from '../upstreams/upstream-limits.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { comparePins } from './tool-pins.js';
import { type RankedPlace, type RankedTool, ToolSearchRepository } from './tool-search.repository.js';
import { Tool } from './tool.entity.js';
import { ToolRepository } from './tool.repository.js';
import { type UpstreamTool } from '../mcp-client/index.js';

const now = new Date('2026-01-01T00:00:00Z');
let dataSource: DataSource;
let transactions: Transactions;
let repository: ToolSearchRepository;
let tenantId: string;
beforeAll(async () => {
  const entities = [Tool, Upstream, UpstreamName];
  dataSource = await new DataSource({ ...dataSourceOptions(await testDatabase(), 4), entities }).initialize();
  transactions = new Transactions(dataSource);
  repository = new ToolSearchRepository(transactions);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  tenantId = newId('tnt');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
});

/** Has an upstream list tools. */
async function listed(
  upstream: string,
  ...tools: (string | readonly [name: string, description: string, ...parameters: string[]])[]
) {
  await transactions.run(tenantId, async (tx: Tx) => {
    const address = { tenantId, name: upstream, url: 'http://127.0.0.1/', revision: 'upr_1', headers: null };
    await new UpstreamRepository(transactions).in(tx).put(
      { ...address, ...NO_LIMITS },
      null,
      { prefixed: true, separator: '__', toolsMaxAgeSeconds: 20 },
      {
        ...{ healthy: true, error: null, failures: 0, checkedAt: now, nextCheckAt: now, confirmedAt: now },
        sessions: null,
      },
      10,
    );
    const definitions = tools.map((each) => {
      const [name, description, ...parameters] = typeof each === 'string' ? [each] : each;
      const properties = Object.fromEntries(parameters.map((parameter) => [parameter, {}]));
      const said = description === undefined ? {} : { description };
      const tool: UpstreamTool = { name, ...said, inputSchema: { type: 'object', properties } };
      return { tool, fingerprint: Buffer.alloc(32) };
    });
    const traits = { destructive: false, repeatable: false, mirrored: [] };
    await new ToolRepository(transactions)
      .in(tx)
      .apply(tenantId, upstream, comparePins([], definitions), () => traits, now);
  });
}
/** What both statements find: among all tools of the upstreams, and among these by name. */
async function ranked(
  query: string,
  place: RankedPlace | null,
  limit: number,
  upstreams = ['up'],
): Promise<RankedTool[]> {
  const all = await dataSource.query<RankedTool[]>(
    'SELECT upstream, name FROM proxy_tool WHERE tenant_id = $1 AND upstream = ANY ($2)',
    [tenantId, upstreams],
  );
  const each = { upstreams: all.map(({ upstream }) => upstream), names: all.map(({ name }) => name) };
  const found = await repository.find(tenantId, { upstreams, names: null }, query, place, limit);
  expect(await repository.find(tenantId, each, query, place, limit)).toEqual(found);
  return found;
}
const found = async (query: string, upstreams = ['up']): Promise<string[]> =>
  (await ranked(query, null, 100, upstreams)).map(({ name }) => name);

describe('tools', () => {
  it.each([
    ['read_file', 'file'],
    ['read-file', 'FILES'],
    ['read.file', 'reading'],
    ['readFile', 'read file'],
    ['readFile', 'readFile'],
    ['readHTMLFile', 'html'],
    ['read2Files', 'read2 files'],
    ['GitHubSearch', 'hub'],
    ['who_am_i', 'who'],
    ['zähle', 'ZÄHLE'],
  ])('named %s are found by %j', async (name, query) => {
    await listed('up', name, 'another');
    expect(await found(query)).toEqual([name]);
  });

  it('are found by name before description, and by that before the names of parameters and the upstream', async () => {
    await listed(
      'up',
      ['one', 'says nothing', 'invoiceDate'],
      ['two', 'Makes an invoice out to somebody.'],
      ['invoice_three', 'says nothing'],
      ['four', 'says nothing'],
    );
    expect(await found('invoices')).toEqual(['invoice_three', 'two', 'one']);
    expect(await found('the invoice of two')).toEqual(expect.arrayContaining(['two', 'invoice_three', 'one']));
    await listed('invoices', 'five');
    expect(await found('invoice', ['invoices'])).toEqual(['five']);
  });

  it('with more of the words are better, and of two alike the shorter', async () => {
    await listed('up', 'create_issue', 'create_issue_comment', 'create_user', 'list_issues');
    expect((await found('create an issue')).slice(0, 2)).toEqual(['create_issue', 'create_issue_comment']);
  });

  it('whose definitions hold what no text can are found by the rest', async () => {
    const description = 'apples \u0000 with \\u0000 bananas \ud800 with cherries';
    await listed('up', ['odd', description, '\u0000key']);
    expect(await Promise.all(['apple', 'banana', 'cherry', 'key', 'odd'].map((word) => found(word)))).toEqual(
      Array.from({ length: 5 }, () => ['odd']),
    );
    await dataSource.query(
      `UPDATE proxy_tool SET definition = '{"description": 1, "inputSchema": {"properties": []}}' WHERE tenant_id = $1`,
      [tenantId],
    );
    expect(await found('odd')).toEqual(['odd']);
  });

  it('are found by each word, whatever signs stand around it', async () => {
    const said =
      'Escalates—quickly—the incident. Reads “quarantined” mail; the user’s\u00a0mailbox… Slack™ 🚀Deploys，完成、后';
    await listed('up', ['one', said], 'create_issue', 'another');
    const words = [
      'escalate',
      'quickly',
      'incident',
      'quarantined',
      'user',
      'mailbox',
      'slack',
      'deploy',
      '完成',
      '后',
    ];
    expect(await Promise.all(words.map((word) => found(word)))).toEqual(words.map(() => ['one']));
    expect(await found('“create issue”')).toEqual(['create_issue']);
    expect(await found('…')).toEqual([]);
  });

  it('are looked for by each of 32 different words, however often and in whatever case they come', async () => {
    await listed('up', 'file_reader', 'another');
    const filler = Array.from({ length: 20 }, (_, i) => `filler${i}`).join(' ');
    expect(await found(`${filler} readFile`)).toEqual(['file_reader']);
    expect(await found(`${'Read READ read '.repeat(40)} file`)).toEqual(['file_reader']);
    const many = Array.from({ length: 31 }, (_, i) => `x${i}`).join(' ');
    expect(await found(`${many} file`)).toEqual(['file_reader']);
    expect(await found(`${many} more file`)).toEqual([]);
  });

  it('that are gone, held back, of other upstreams or other tenants are not found', async () => {
    await listed('up', 'word_gone', 'word_held', 'word_there');
    await listed('elsewhere', 'word_elsewhere');
    await dataSource.query(`UPDATE proxy_tool SET gone = true WHERE tenant_id = $1 AND name = 'word_gone'`, [tenantId]);
    await dataSource.query(
      `UPDATE proxy_tool SET pending = '{}', pending_fingerprint = fingerprint, drifted_at = now()
        WHERE tenant_id = $1 AND name = 'word_held'`,
      [tenantId],
    );
    expect(await found('word')).toEqual(['word_there']);
    for (const names of [null, ['word_there']])
      expect(await repository.find(newId('tnt'), { upstreams: ['up'], names }, 'word', null, 10)).toEqual([]);
  });

  it('are found behind a place, however many are as good', async () => {
    await listed('up', ...Array.from({ length: 20 }, (_, i) => `read_${i}`), 'reader_of_many_things');
    const all = await ranked('read', null, 100);
    expect(all).toHaveLength(20);
    for (const [i, place] of all.entries()) expect(await ranked('read', place, 3)).toEqual(all.slice(i + 1, i + 4));
  });

  it('are looked through where they lie, whatever their definitions hold', async () => {
    const description = Array.from({ length: 150 }, (_, i) => `word${i} of it`).join(' ');
    const parameters = Array.from({ length: 40 }, (_, i) => `parameter${i}`);
    const count = 300;
    await listed('up', ...Array.from({ length: count }, (_, i) => [`tool_${i}`, description, ...parameters] as const));
    await dataSource.query('VACUUM (ANALYZE) proxy_tool');
    const plan: string[] = [];
    const explaining = {
      query: async ({ text }: { text: string }, values: [string]) => {
        const rows = await transactions.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, values);
        plan.push(...rows.map((row) => row['QUERY PLAN']));
        return [];
      },
    } as unknown as Transactions;
    await new ToolSearchRepository(explaining).find(
      tenantId,
      { upstreams: ['up'], names: null },
      'word7 tool',
      null,
      10,
    );
    // A value that lies out of line takes three reads of its own.
    const [, hit = 'none', read = 0] = /Buffers: shared hit=(\d+)(?: read=(\d+))?/.exec(plan.join('\n')) ?? [];
    expect(Number(hit) + Number(read)).toBeLessThan(2 * count);
  });
});
