/** A medium did not take a message. `reason` is of a closed set, fit for a column and a log: nothing of what was said, nor of whom it was for. */
export abstract class MessageNotTaken extends Error {
  abstract readonly reason: string;
  /** Whether it was said that it never will be. */
  abstract readonly isFinal: boolean;
  /** Whether others would fare no better right now. */
  abstract readonly isOfServer: boolean;
}
