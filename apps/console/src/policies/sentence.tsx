import { Fragment, type ReactNode } from 'react';
import { Said } from '../parts/said.tsx';
import { sentenceOf } from './words.ts';

/** What a policy does, in a sentence; names in it are those of others. */
export function Sentence({ policy }: { policy: Parameters<typeof sentenceOf>[0] }): ReactNode {
  return sentenceOf(policy).map((word, at) => (
    <Fragment key={at}>
      {typeof word === 'string' ? (
        word
      ) : (
        <strong>
          <Said text={word.name} />
        </strong>
      )}
    </Fragment>
  ));
}
