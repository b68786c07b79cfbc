import { Fragment, type ReactNode } from 'react';
import { Said } from './said.tsx';
import { type Word } from './words.ts';

/** A sentence of ours with names of others in it. */
export function Sentence({ words }: { words: readonly Word[] }): ReactNode {
  return words.map((word, at) => (
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
