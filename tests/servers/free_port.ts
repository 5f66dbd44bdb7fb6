/** Below the ephemeral ports, so that no other program gets it by chance. */
const LOWEST = 20_000;
const HIGHEST = 30_000;

/**
 * A free loopback port, for servers that cannot pick one themselves. It stays free while its server
 * is down. An ephemeral port would not: a client that keeps connecting to it is sooner or later
 * given that very port as its own.
 */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
