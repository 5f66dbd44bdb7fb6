const PATIENCE_MS = 120_000;
const PAUSE_MS = 200;

/**
 * Tries until it works: for what other programs do in their own time, and tell nobody.
 * @param what for the error, for instance `the node is lost`
 * @throws {Error} when it does not work in time, with the last reason
 */
export async function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) {
        throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${what}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
