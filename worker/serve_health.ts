import { isMpcError } from "@mpc/domain";
import type { Address } from "@mpc/process";
import { type Listening, listening } from "./listening.ts";

/** Something that a process needs to do its work. */
export interface Check {
  readonly name: string;
  /** Throws why it is not there. */
  readonly assertReady: (signal: AbortSignal) => Promise<void>;
}

/** How long one check may take. */
const CHECK_TIMEOUT_MS = 2_000;

/**
 * Serves `/healthz`, which says that the process lives, and `/readyz`, which says by JSON what is
 * not ready, and why; with 503 where anything is not.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function serveHealth(checks: readonly Check[], listen: Address): Listening {
  return listening(listen, async (request) => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return Response.json({ healthy: true });
      case "/readyz": {
        const results = await Promise.all(checks.map(resultOf));
        const ready = results.every((result) => result.ready);
        return Response.json({ ready, checks: results }, { status: ready ? 200 : 503 });
      }
      default:
        return new Response("not found\n", { status: 404 });
    }
  });
}

async function resultOf({ name, assertReady }: Check) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), CHECK_TIMEOUT_MS);
  const timeout = new Promise<never>((_, reject) => {
    late.signal.addEventListener("abort", () => reject(new Error("it does not answer")));
  });
  try {
    await Promise.race([assertReady(late.signal), timeout]);
    return { name, ready: true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ready: false, reason: isMpcError(error) ? error.reason : "NOT_READY", message };
  } finally {
    clearTimeout(timer);
  }
}
