const RUNNERS = new Set(
  ['npx', 'npm', 'pnpm', 'yarn', 'bunx', 'bun', 'deno', 'node', 'uvx', 'uv', 'pipx', 'python', 'python3'].concat([
    'docker',
    'podman',
    'java',
    'dotnet',
    'go',
    'cargo',
    'sh',
    'bash',
    'cmd',
    'powershell',
    'supergateway',
  ]),
);

/** Whether a text in place of a URL is how clients start servers of their own: `npx -y server /tmp`, `./server`, `stdio:…`. */
export function looksLikeCommand(text: string): boolean {
  if (/^https?:/i.test(text)) return false;
  if (/^(?:stdio|file|command):|^(?:[a-z]:)?[\\/]|^[.~]{1,2}\//i.test(text)) return true;
  const [first = ''] = text.trim().split(/\s/, 1);
  return (
    RUNNERS.has(first.replace(/\.(?:exe|cmd)$/i, '').toLowerCase()) || (!text.includes('://') && first !== text.trim())
  );
}
