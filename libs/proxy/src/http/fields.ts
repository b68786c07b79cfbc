import { MAX_LIMIT, pageQuery, queryInt } from '@haldir/http';
import { z } from 'zod';

/** `upstream.tool`: 64 + 1 + 256 characters at most. */
const TOOL_NAME_EXPECTED = 'expected a tool name of 1 to 330 characters';
export const toolName = z.string(TOOL_NAME_EXPECTED).min(1, TOOL_NAME_EXPECTED).max(330, TOOL_NAME_EXPECTED);

const CONTAINS_EXPECTED = 'expected a text of 1 to 256 characters';

/** A filter by a part of the name. */
export const nameContains = z
  .string(CONTAINS_EXPECTED)
  .min(1, CONTAINS_EXPECTED)
  .max(256, CONTAINS_EXPECTED)
  .optional()
  .meta({ example: 'mail' })
  .describe('A text within the name, small and capital letters of ASCII alike');

/** Programs that know nothing of pages get the whole list, up to what a page can hold. */
export const wholePageQuery = {
  ...pageQuery,
  limit: queryInt(1, MAX_LIMIT).default(MAX_LIMIT).describe('Max entries to return'),
};
