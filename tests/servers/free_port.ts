/** Below the ports that systems give to those who ask for any, so that nobody has it by chance. */
const LOWEST = 20_000;
const HIGHEST = 30_000;

/**
 * A port of loopback that nobody listens on, for servers that cannot be told to pick one. It stays
 * free while a server is away: who keeps connecting to a port out of the system's own range is
 * given, sooner or later, that very port to connect from.
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
