import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { usd } from '../parts/money.ts';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Table } from '../parts/table.tsx';
import { type ToolsSearch } from './search.ts';
import { type Tool } from './tools.ts';

/** @param search what the list is filtered by, which stays while one of it is open */
export function ToolTable({ tools, search }: { tools: readonly Tool[]; search: ToolsSearch }): ReactNode {
  return (
    <Table
      label="Tools"
      heads={['Tool', 'What it says of itself', 'State', { number: 'Price' }]}
      rows={tools.map((tool) => ({
        key: tool.qualified_name,
        cells: [
          <Link to="/tools" search={{ ...search, tool: tool.qualified_name }} resetScroll={false} className="row-link">
            <Said text={tool.qualified_name} />
          </Link>,
          <span className="two-lines muted">
            <Said text={tool.description} />
          </span>,
          <span className="whole">
            {tool.drift ? (
              <StateMark is="wrong">Changed, held back</StateMark>
            ) : (
              <StateMark is="good">As accepted</StateMark>
            )}
          </span>,
          tool.price_usd === undefined ? '' : usd(tool.price_usd),
        ],
      }))}
    />
  );
}
