/** Registers each case as a test, with its own harness. */
export function registerCases<Harness extends { close(): Promise<void> }>(
  name: string,
  cases: Readonly<Record<string, (harness: Harness) => Promise<void>>>,
  open: () => Promise<Harness>,
): void {
  for (const [title, run] of Object.entries(cases)) {
    Deno.test(`${name}: ${title}`, async () => {
      const harness = await open();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  }
}

/** Registers each case as an ignored test, whose name says which capability is missing. */
export function registerMissing(
  name: string,
  titles: readonly string[],
  capability: string,
): void {
  for (const title of titles) {
    Deno.test({
      name: `${name}: ${title} (missing capability: ${capability})`,
      ignore: true,
      fn: () => {},
    });
  }
}
