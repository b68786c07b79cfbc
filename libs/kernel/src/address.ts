/** Ports that go without saying. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' };

const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)([^]*)$/;

/**
 * An address (RFC 3986) in the form that others of the same meaning have, too: scheme and host in lower case, percent-encoding
 * only where it says something, no dot segments, no port that goes without saying; and a file's without host (RFC 8089). What is
 * no address stays as it is.
 */
export function normalAddress(address: string): string {
  return normal(address, true) ?? address;
}

/** The same, and as it is; without the former where segments would have to be resolved that may mean something to a server. */
export function plainForms(address: string): string[] {
  const plain = normal(address, false);
  return plain === null || plain !== normal(address, true) ? [address] : [...new Set([address, plain])];
}

/**
 * Every form by which a rule that refuses may mean an address: its normal one, and what a server makes of it that decodes once
 * too often, ends at a zero byte, takes `\` for `/`, or pays no heed to fragment, query, empty segments and a slash at the end.
 */
export function allForms(address: string): string[] {
  const decoded = decodedWholly(address);
  const [untilZero = ''] = decoded.split('\0');
  const forms = [address, decoded, untilZero].map((each) => normalAddress(each.replaceAll('\\', '/').trim()));
  const bare = [address, ...forms].flatMap((form) => {
    const [withoutFragment = ''] = form.split('#');
    const [withoutQuery = ''] = withoutFragment.split('?');
    return [form, withoutFragment, withoutQuery];
  });
  const single = bare.map((form) => normalAddress(form.replace(/([^:/])\/{2,}/g, '$1/').replace(/:\/{4,}/, ':///')));
  return [...new Set([...bare, ...single].flatMap((form) => [form, withoutSlash(form)]))];
}

/** By what a name that a rule was given is found among the forms of an address; of `upstream.address`, the address is what follows. */
export function ruleForms(name: string): string[] {
  if (!name.includes(':')) return [name];
  const [, upstream = '', address = name] = /^([A-Za-z0-9_*-]{1,64}\.)([^]+)$/.exec(name) ?? [];
  const normalised = upstream + normalAddress(address);
  return [...new Set([name, normalised, withoutSlash(normalised)])];
}

function normal(address: string, resolves: boolean): string | null {
  const [, scheme, authority, path = '', rest = ''] = PARTS.exec(unescaped(address)) ?? [];
  if (scheme === undefined) return null;
  const lower = scheme.toLowerCase();
  const server = authority === undefined ? null : normalServer(authority, lower);
  const segments = resolves && (path.startsWith('/') || server !== null) ? withoutDots(path) : path;
  if (lower === 'file' && (server === null || server === 'localhost') && segments.startsWith('/'))
    return `file://${segments}${rest}`;
  const isRoot = segments === '' && server !== null && server !== '';
  return `${lower}:${server === null ? '' : `//${server}`}${isRoot ? '/' : segments}${rest}`;
}

/** Percent-encoded characters that need not be are decoded; of the others, the digits are in upper case. */
function unescaped(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const char = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : escape.toUpperCase();
  });
}

/** However often it was encoded. */
function decodedWholly(text: string): string {
  const once = text.replace(/%(?:25)+/g, (run, at: number) =>
    /^[0-9A-Fa-f]{2}/.test(text.slice(at + run.length, at + run.length + 2)) ? '%' : '%25',
  );
  return once.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

function normalServer(authority: string, scheme: string): string {
  const at = authority.lastIndexOf('@') + 1;
  const [, host = '', port = ''] = /^(.*?)(?::([0-9]*))?$/s.exec(authority.slice(at)) ?? [];
  const shown = port === '' || port === DEFAULT_PORTS[scheme] ? '' : `:${port}`;
  return authority.slice(0, at) + host.toLowerCase() + shown;
}

/** RFC 3986, section 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === '..' && kept.length > 1) kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return kept.join('/');
}

function withoutSlash(form: string): string {
  let end = form.length;
  while (end > 0 && form[end - 1] === '/') end--;
  return form.slice(0, end);
}
