/** Below the ephemeral ports, so that no client gets one by chance. */
const LOWEST = 20_000;
const HIGHEST = 30_000;

/**
 * A free loopback port, for a server that cannot pick one itself. It stays free while that server
 * restarts, whereas an ephemeral port would sooner or later be used by an outgoing connection.
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
