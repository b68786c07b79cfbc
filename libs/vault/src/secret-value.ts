import { inspect } from 'node:util';

const PLACEHOLDER = '[secret]';

/**
 * A secret in the clear, on its way into the one answer it was asked for. Printed, logged or turned into JSON it is
 * `[secret]`. The bytes can be wiped; a string made of them cannot.
 */
export class SecretValue {
  readonly #bytes: Buffer;

  /** @param bytes UTF-8; owned by the value from now on */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static of(text: string): SecretValue {
    return new SecretValue(Buffer.from(text, 'utf8'));
  }

  /** What `use` makes of the bytes, which it must not keep. */
  expose<T>(use: (bytes: Buffer) => T): T {
    return use(this.#bytes);
  }

  /** The text itself. The bytes are wiped, so this works once. */
  reveal(): string {
    const text = this.#bytes.toString('utf8');
    this.wipe();
    return text;
  }

  /** Overwrites the bytes. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toJSON(): string {
    return PLACEHOLDER;
  }
  toString(): string {
    return PLACEHOLDER;
  }
  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}
