const PATIENCE_MS = 120_000;
const PAUSE_MS = 200;

/**
 * Retries until success, for what other programs do without reporting it.
 * @param what for the error, for instance `the node is lost`
 * @throws {Error} if it does not succeed in time, with the last reason
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
