import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { Upstream, UpstreamName } from '../upstreams/upstream.entity.js';
import { NO_LIMITS } from '../upstreams/upstream-limits.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { comparePins } from './tool-pins.js';
import { ToolSearchRepository } from './tool-search.repository.js';
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
  ...tools: (string | [name: string, description: string, ...parameters: string[]])[]
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
const found = async (query: string, upstreams = ['up']): Promise<string[]> =>
  (await repository.find(tenantId, upstreams, query, null, 100)).map(({ name }) => name);

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
    expect(await repository.find(newId('tnt'), ['up'], 'word', null, 10)).toEqual([]);
  });

  it('are found behind a place, however many are as good', async () => {
    await listed('up', ...Array.from({ length: 20 }, (_, i) => `read_${i}`), 'reader_of_many_things');
    const all = await repository.find(tenantId, ['up'], 'read', null, 100);
    expect(all).toHaveLength(20);
    for (const [i, place] of all.entries())
      expect(await repository.find(tenantId, ['up'], 'read', place, 3)).toEqual(all.slice(i + 1, i + 4));
  });
});
