import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { Refused, TextField } from '../parts/form.tsx';
import { TOOLS } from './tools.ts';
import { register, UPSTREAMS } from './upstreams.ts';

const route = getRouteApi('/upstreams');

interface Header {
  name: string;
  value: string;
}

/** Adds a tool server, and leads to what it has. */
export function AddUpstream(): ReactNode {
  const navigate = route.useNavigate();
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [headers, setHeaders] = useState<Header[]>([]);
  const adding = useChange(register, UPSTREAMS, TOOLS, 'set-up');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const given = headers.filter((header) => header.name !== '' || header.value !== '');
    await adding.mutateAsync({
      name: name.trim(),
      url: url.trim(),
      ...(given.length > 0 && { headers: Object.fromEntries(given.map((each) => [each.name.trim(), each.value])) }),
    });
    void navigate({ search: { upstream: name.trim() } });
  };
  const setHeader = (at: number, header: Partial<Header>): void =>
    setHeaders(headers.map((each, i) => (i === at ? { ...each, ...header } : each)));
  return (
    <>
      <p className="back">
        <Link to="/upstreams" search={{}}>
          ← Upstreams
        </Link>
      </p>
      <h1>Add an upstream</h1>
      {/* What was refused is said below. */}
      <form className="form" onSubmit={(event) => void submit(event).catch(() => undefined)}>
        <TextField
          label="Name"
          hint="1 to 64 letters, digits, - or _. Agents see its tools with this name before theirs."
          value={name}
          onText={setName}
          maxLength={64}
          required
        />
        <TextField
          label="Address of the MCP server"
          placeholder="http://127.0.0.1:3001/mcp"
          value={url}
          onText={setUrl}
          inputMode="url"
          maxLength={2048}
          required
        />
        <fieldset>
          <legend>Headers that are sent to it</legend>
          <p className="hint">
            For a secret write <code>{'Bearer {{vault:name}}'}</code>: it is taken from the vault when it is sent, and
            neither agents nor this page ever see it.
          </p>
          {headers.map((header, at) => (
            <div className="header-row" key={at}>
              <TextField label="Header" value={header.name} onText={(text) => setHeader(at, { name: text })} />
              <TextField label="Value" value={header.value} onText={(text) => setHeader(at, { value: text })} />
              <button
                type="button"
                className="quiet"
                aria-label={`Remove header ${at + 1}`}
                onClick={() => setHeaders(headers.filter((_, i) => i !== at))}
              >
                ✕
              </button>
            </div>
          ))}
          <button
            type="button"
            className="small"
            onClick={() => setHeaders([...headers, { name: headers.length === 0 ? 'Authorization' : '', value: '' }])}
          >
            Add a header
          </button>
        </fieldset>
        <Refused error={adding.error} />
        <div className="actions">
          <button type="submit" className="primary" disabled={adding.isPending}>
            {adding.isPending ? 'Asking it for its tools…' : 'Add'}
          </button>
        </div>
      </form>
    </>
  );
}
