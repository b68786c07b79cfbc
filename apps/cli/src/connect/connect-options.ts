import { parseArgs } from 'node:util';
import { UsageError } from '../command.js';

type Pairs = Readonly<Record<string, string>>;

export interface CommandOptions {
  program: string;
  args: readonly string[];
  perSession: boolean;
  maxSessions: number;
  /** With references to secrets. */
  env: Pairs;
  /** Null for none. */
  sandbox: { write: readonly string[]; network: boolean } | null;
}

export interface UrlOptions {
  url: URL;
  /** With references to secrets. */
  headers: Pairs;
}

/** What is connected, under which name. */
export interface ConnectOptions {
  name: string;
  server: CommandOptions | UrlOptions;
}

const MAX_SESSIONS = 64;

/** @throws UsageError */
export function readOptions(args: readonly string[]): ConnectOptions {
  const end = args.indexOf('--');
  const command = end === -1 ? [] : args.slice(end + 1);
  const { values, positionals } = parse(end === -1 ? args : args.slice(0, end));
  const [name, stray] = positionals;
  if (name === undefined) throw new UsageError('the name of the upstream is missing');
  if (stray !== undefined) throw new UsageError(`${stray} is one argument too many; the command follows --`);
  if (values.url === undefined) return { name, server: commandIn(values, command) };
  const others = ['per-session', 'max-sessions', 'env', 'sandbox', 'write', 'network'] as const;
  const wrong = others.find((option) => values[option] !== undefined);
  if (wrong !== undefined || command.length > 0)
    throw new UsageError(`${wrong === undefined ? 'a command' : `--${wrong}`} does not go with --url`);
  const url = URL.canParse(values.url) ? new URL(values.url) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError('--url should be one like http://127.0.0.1:9000/mcp');
  return { name, server: { url, headers: pairs(values.header ?? [], ':', '--header', "'Name: value'") } };
}

type Values = ReturnType<typeof parse>['values'];

function commandIn(values: Values, [program, ...args]: readonly string[]): CommandOptions {
  if (program === undefined)
    throw new UsageError('give the command of an MCP server after --, or its address with --url');
  if (values.header !== undefined) throw new UsageError('--header goes with --url; a command has an --env');
  if (!values.sandbox && (values.write !== undefined || values.network !== undefined))
    throw new UsageError('--write and --network say what a --sandbox allows');
  if (!values['per-session'] && values['max-sessions'] !== undefined)
    throw new UsageError('--max-sessions goes with --per-session');
  const maxSessions = Number(values['max-sessions'] ?? MAX_SESSIONS);
  if (!Number.isInteger(maxSessions) || maxSessions < 1 || maxSessions > 10_000)
    throw new UsageError('--max-sessions should be a whole number from 1 to 10000');
  return {
    program,
    args,
    perSession: values['per-session'] ?? false,
    maxSessions,
    env: pairs(values.env ?? [], '=', '--env', 'NAME=value'),
    sandbox: values.sandbox ? { write: values.write ?? [], network: values.network ?? false } : null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        header: { type: 'string', multiple: true },
        env: { type: 'string', multiple: true },
        'per-session': { type: 'boolean' },
        'max-sessions': { type: 'string' },
        sandbox: { type: 'boolean' },
        write: { type: 'string', multiple: true },
        network: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** What is wrong is not repeated: it may be a secret. */
function pairs(texts: readonly string[], separator: string, option: string, form: string): Pairs {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf(separator);
      const name = text.slice(0, Math.max(0, at)).trim();
      const value = separator === ':' ? text.slice(at + 1).trim() : text.slice(at + 1);
      const isName = separator === ':' ? /^[\w!#$%&'*+.^`|~-]+$/.test(name) : /^[^=\0\s]+$/.test(name);
      if (!isName || /[\0\r\n]/.test(separator === ':' ? value : '') || value.includes('\0'))
        throw new UsageError(`${option} should be one like ${form}`);
      return [name, value];
    }),
  );
}
