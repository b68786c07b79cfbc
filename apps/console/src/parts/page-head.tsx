import { type ReactNode } from 'react';

/** What a view begins with. @param children what can be done there */
export function PageHead({ title, children }: { title: ReactNode; children?: ReactNode }): ReactNode {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
