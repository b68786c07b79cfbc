import { MAX_LIMIT, pageQuery, queryInt } from '@haldir/http';
import { z } from 'zod';

/** `upstream.tool`: 64 + 1 + 256 characters at most. */
const TOOL_NAME_EXPECTED = 'expected a tool name of 1 to 330 characters';
export const toolName = z.string(TOOL_NAME_EXPECTED).min(1, TOOL_NAME_EXPECTED).max(330, TOOL_NAME_EXPECTED);

/** Programs that know nothing of pages get the whole list, up to what a page can hold. */
export const wholePageQuery = {
  ...pageQuery,
  limit: queryInt(1, MAX_LIMIT).default(MAX_LIMIT).describe('Max entries to return'),
};
