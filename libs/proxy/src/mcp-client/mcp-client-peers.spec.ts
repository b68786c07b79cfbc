import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Egress, EgressPolicy } from '@haldir/egress';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpClient } from './mcp-client.js';
import { UpstreamRpcError } from './mcp-client.errors.js';

const egress = new Egress(new EgressPolicy(['127.0.0.0/8']));

afterAll(async () => {
  await egress.close();
});

describe('the SDK as a 2026-07-28 server', () => {
  let server: Server;
  let mcp: McpClient;
  const requests: { method: string | undefined; param: string | undefined }[] = [];

  beforeAll(async () => {
    const handler = createMcpHandler(() => {
      const mcpServer = new McpServer({ name: 'fixture', version: '1.0.0' });
      mcpServer.registerTool(
        'add',
        {
          description: 'Adds',
          inputSchema: z.object({ a: z.number(), b: z.number() }),
          annotations: { readOnlyHint: true },
        },
        ({ a, b }) => ({
          content: [{ type: 'text', text: String(a + b) }],
        }),
      );
      mcpServer.registerTool('fail', { inputSchema: z.object({}) }, () => ({
        isError: true,
        content: [{ type: 'text', text: 'no' }],
      }));
      mcpServer.registerTool(
        'route',
        { inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }) },
        ({ region }) => ({
          content: [{ type: 'text', text: region }],
        }),
      );
      return mcpServer;
    });
    const node = toNodeHandler(handler);
    server = createServer((req, res) => {
      requests.push({
        method: req.headers['mcp-method']?.toString(),
        param: req.headers['mcp-param-region']?.toString(),
      });
      void node(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    mcp = new McpClient({
      egress,
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
      key: 'sdk',
    });
  });

  afterAll(async () => {
    mcp.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is spoken to without a handshake', async () => {
    expect(await mcp.callTool('add', { a: 2, b: 3 })).toMatchObject({ content: [{ type: 'text', text: '5' }] });
    expect(mcp.protocol).toBe('2026-07-28');
    expect(requests.map(({ method }) => method)).toEqual(['server/discover', 'tools/call']);
  });

  it('has arguments mirrored to headers where its schema asks for it, known before or learnt from the refusal', async () => {
    expect(await mcp.callTool('route', { region: 'eu' })).toMatchObject({ content: [{ text: 'eu' }] });
    expect(await mcp.callTool('route', { region: 'ü' })).toMatchObject({ content: [{ text: 'ü' }] });
    expect(requests.at(-1)?.param).toBe('=?base64?w7w=?=');
  });

  it('lists its tools whole', async () => {
    const { tools } = await mcp.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['add', 'fail', 'route']);
    expect(tools[0]).toMatchObject({
      description: 'Adds',
      annotations: { readOnlyHint: true },
      inputSchema: { type: 'object', required: ['a', 'b'] },
    });
    expect(JSON.stringify(tools[2]?.inputSchema)).toContain('"x-mcp-header":"Region"');
  });

  it('passes on tool errors as results and refusals as errors', async () => {
    expect(await mcp.callTool('fail', {})).toMatchObject({ isError: true, content: [{ text: 'no' }] });
    await expect(mcp.callTool('missing', {})).rejects.toBeInstanceOf(UpstreamRpcError);
  });

  it('carries many calls at once', async () => {
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => mcp.callTool('add', { a: i, b: 1 })));
    expect(results).toMatchObject(
      Array.from({ length: 200 }, (_, i) => ({ content: [{ type: 'text', text: String(i + 1) }] })),
    );
  });
});

describe('server-everything', () => {
  const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
  let port: number;
  let child: ChildProcess;

  const boot = async (): Promise<void> => {
    child = spawn(process.execPath, [entry, 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => {
        reject(new Error('server-everything ended'));
      });
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('listening')) resolve();
      });
    });
  };
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };

  beforeAll(async () => {
    const probe = createTcpServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    port = (probe.address() as AddressInfo).port;
    await new Promise((resolve) => probe.close(resolve));
    await boot();
  }, 30_000);

  afterAll(stop);

  it('is discovered and called in a session, and called again unseen after it was restarted', async () => {
    const mcp = new McpClient({ egress, url: `http://127.0.0.1:${port}/mcp`, key: 'everything' });
    const { tools } = await mcp.listTools();
    expect(tools.length).toBeGreaterThanOrEqual(10);
    expect(mcp.protocol).toBe('2025-11-25');
    expect(await mcp.callTool('echo', { message: 'mellon' })).toMatchObject({
      content: [{ type: 'text', text: 'Echo: mellon' }],
    });
    expect(await mcp.callTool('get-sum', { a: 2, b: 3 })).toMatchObject({ content: [{ type: 'text' }] });

    const many = await Promise.all(Array.from({ length: 40 }, (_, i) => mcp.callTool('echo', { message: String(i) })));
    expect(many).toMatchObject(
      Array.from({ length: 40 }, (_, i) => ({ content: [{ type: 'text', text: `Echo: ${i}` }] })),
    );

    await stop();
    await boot();
    await sleep(50);
    expect(await mcp.callTool('echo', { message: 'again' })).toMatchObject({ content: [{ text: 'Echo: again' }] });
    mcp.close();
  }, 60_000);
});
