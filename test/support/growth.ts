/**
 * How many times as much CPU time of this process work takes for four times the size: about 4 where it grows with the size, 16 where with
 * its square. The least of five tries of each counts, and a millisecond at least, so that neither the machine nor others on it matter.
 */
export async function growthOf(size: number, work: (size: number) => unknown): Promise<number> {
  const least = async (of: number): Promise<number> => {
    const taken: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const before = process.cpuUsage();
      await work(of);
      const { user, system } = process.cpuUsage(before);
      taken.push(user + system);
    }
    return Math.max(1_000, Math.min(...taken));
  };
  const once = await least(size);
  return (await least(4 * size)) / once;
}

/** Of work that grows with the size; of its square it would be 16. */
export const LINEAR = 9;
