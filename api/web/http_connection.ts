import { MpcError } from "@mpc/domain";

/** One connection that HTTP/1.1 or HTTP/2 is served on. */
export interface HttpConnection {
  /** Resolves when the connection has ended, however it did. */
  readonly finished: Promise<void>;
  /** Takes no more requests, and closes when the running ones have been answered. */
  shutdown(): Promise<void>;
}

export type HttpHandler = (
  request: Request,
  info: Pick<Deno.ServeHandlerInfo, "completed">,
) => Response | Promise<Response>;

type ServeHttpOnConnection = (
  connection: Deno.Conn,
  abort: AbortSignal,
  handler: HttpHandler,
  onError: (error: unknown) => Response,
  onListen: () => void,
) => HttpConnection;

/**
 * The server of `Deno.serve` for a connection that somebody else accepted. `Deno.serve` itself has
 * no limits of connections and no deadlines, and its accept loop ends the process when there are no
 * file descriptors left. Deno has no public name for this half of it (2.9).
 * @throws {MpcError} FAILED_PRECONDITION `UNSUPPORTED_RUNTIME`
 */
export function httpServer(): ServeHttpOnConnection {
  const internals = Reflect.get(Deno, Reflect.get(Deno, "internal"));
  const serve = internals?.serveHttpOnConnection;
  if (typeof serve === "function") return serve;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "UNSUPPORTED_RUNTIME",
    message:
      `Cannot serve HTTP: Deno ${Deno.version.deno} cannot serve an accepted connection; use Deno 2.9`,
  });
}
