/** Below the ports that systems hand out by themselves, so that no client is given one by chance. */
const LOWEST = 20_000;
const HIGHEST = 30_000;

/**
 * A port of loopback that nobody listens on, for a server that cannot pick one itself. It stays
 * free while that server restarts: a port in the system's own range would sooner or later be given
 * to an outgoing connection.
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
