import { type ReactNode } from 'react';
import { Copied } from '../parts/copied.tsx';
import { visible } from '../parts/hidden.ts';
import { Said } from '../parts/said.tsx';
import { When } from '../parts/times.tsx';
import { type Invited } from './people.ts';

/** The link that was made for somebody just now, which is shown once. */
export function InvitedShown({ of: { email, link, link_expires_at: until } }: { of: Invited }): ReactNode {
  return (
    <>
      <p className="notice" role="status">
        Give this link to <Said text={email} />, and to nobody else: whoever opens it is signed in as them. It works
        once, until <When at={until} />, and is not shown again. Nothing was sent.
      </p>
      <Copied label={`The link for ${visible(email)}`} text={link} />
    </>
  );
}
