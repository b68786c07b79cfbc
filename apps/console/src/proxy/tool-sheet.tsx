import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';
import { ToolPrice } from './tool-price.tsx';
import { accept, type Drift, type Tool, TOOLS, toolQuery } from './tools.ts';
import { UPSTREAMS } from './upstreams.ts';

const route = getRouteApi('/tools');

/** One tool, whole, beside the list that it is of. */
export function ToolSheet({ qualified }: { qualified: string }): ReactNode {
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(toolQuery(qualified));
  const closed = (): void => void navigate({ search: ({ tool: _, ...rest }) => rest, resetScroll: false });
  return (
    <Dialog kind="sheet" title={<Said text={qualified} />} onClosed={closed}>
      {() =>
        data === undefined ? (
          <Unread error={error} again={refetch} />
        ) : data === null ? (
          <Empty title="There is no tool of this name." />
        ) : (
          <Whole tool={data} />
        )
      }
    </Dialog>
  );
}

function Whole({ tool }: { tool: Tool }): ReactNode {
  const { drift, description, input_schema: schema, annotations, warning } = tool;
  return (
    <>
      {drift && <Drifted tool={tool} drift={drift} />}
      <h3>What it says of itself{drift && ', as it was accepted'}</h3>
      {description === '' ? <p className="muted">Nothing.</p> : <Said text={description} block />}
      {annotations && Object.keys(annotations).length > 0 && (
        <>
          <h3>Annotations</h3>
          <table className="arguments">
            <tbody>
              {Object.entries(annotations).map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">
                    <Said text={name} />
                  </th>
                  <td>
                    <Said text={typeof value === 'string' ? value : JSON.stringify(value)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="hint">Hints of the upstream. Nothing holds it to them.</p>
        </>
      )}
      <h3>Arguments (JSON Schema)</h3>
      <Said text={JSON.stringify(schema, null, 2)} block />
      <ToolPrice tool={tool} />
      <dl>
        <dt>As models are told of it</dt>
        <dd>
          <Said text={tool.model_name} />
        </dd>
        {warning !== undefined && <dd className="muted">{warning}</dd>}
        <dt>Fingerprint of what was accepted</dt>
        <dd>
          <code>{tool.fingerprint}</code>
        </dd>
      </dl>
    </>
  );
}

/** What the upstream changed, each beside what it was. */
function Drifted({ tool, drift }: { tool: Tool; drift: Drift }): ReactNode {
  const mayWrite = useMay('proxy:write');
  const accepting = useChange(accept, TOOLS, UPSTREAMS);
  return (
    <section aria-label="What changed">
      <p className="notice danger">
        The upstream has changed this tool (seen <When at={drift.seen_at} />
        ). It is held back: agents neither see it nor call it until what it says now is accepted.
      </p>
      <div className="twins">
        {drift.diff.map((change, at) => (
          <div className="twin" key={at}>
            <code className="path">
              <Said text={change.path === '' ? 'The whole definition' : change.path} />
            </code>
            <div className="was">
              <span className="muted">Accepted</span>
              <Value value={change.was} isThere={'was' in change} />
            </div>
            <div className="is">
              <span className="muted">Now</span>
              <Value value={change.is} isThere={'is' in change} />
            </div>
          </div>
        ))}
      </div>
      <Refused error={accepting.error} />
      {mayWrite && (
        <div className="actions">
          <button
            type="button"
            className="primary"
            disabled={accepting.isPending}
            onClick={() => accepting.mutate(tool)}
          >
            Accept what it says now
          </button>
        </div>
      )}
    </section>
  );
}

function Value({ value, isThere }: { value: unknown; isThere: boolean }): ReactNode {
  if (!isThere) return <p className="muted">not there</p>;
  return <Said text={typeof value === 'string' ? value : JSON.stringify(value, null, 2)} block />;
}
