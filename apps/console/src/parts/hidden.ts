/** What `visibleText` of the kernel takes for hidden. */
const HIDDEN = /[\p{Cf}\p{DI}\p{Zl}\p{Zp}\u2800]|(?![\t\n\r])\p{Cc}/gu;

/** A text with what nobody would see in it written as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
