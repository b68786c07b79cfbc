// What libs/verifier has its bytes in, for browsers; to be there before it.
import { Buffer } from 'buffer/index.js';

(globalThis as { Buffer?: unknown }).Buffer ??= Buffer;
