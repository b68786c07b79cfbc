/** What is being made, by key: whoever asks for it meanwhile gets the same, or the same error. */
export class InFlight<Made> {
  private readonly making = new Map<string, Promise<Made>>();

  has(key: string): boolean {
    return this.making.has(key);
  }

  one(key: string, make: () => Promise<Made>): Promise<Made> {
    const before = this.making.get(key);
    if (before) return before;
    const made = make().finally(() => this.making.delete(key));
    this.making.set(key, made);
    return made;
  }
}
