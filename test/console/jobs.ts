import { type Locator } from 'playwright-core';

/** What somebody presses to do a job: each is a step. What they type is none. */
export class Steps {
  count = 0;

  async press(what: Locator): Promise<void> {
    this.count++;
    await what.click();
  }
}

/** The text of each cell of a table's rows. */
export async function rowsOf(table: Locator): Promise<string[][]> {
  return (await table.locator('tbody tr').all()).reduce<Promise<string[][]>>(
    async (before, row) => [...(await before), await row.locator('th, td').allInnerTexts()],
    Promise.resolve([]),
  );
}
