import { type ReactNode } from 'react';
import * as parts from '../parts/sentence.tsx';
import { sentenceOf } from './words.ts';

/** What a policy does, in a sentence. */
export function Sentence({ policy }: { policy: Parameters<typeof sentenceOf>[0] }): ReactNode {
  return <parts.Sentence words={sentenceOf(policy)} />;
}
