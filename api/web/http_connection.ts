import { MpcError } from "@mpc/domain";

/** One connection that HTTP/1.1 or HTTP/2 is served on. */
export interface HttpConnection {
  /** Settles when the connection has ended, however it did. */
  readonly finished: Promise<void>;
  /** Ends it at once; does nothing where it has ended. */
  cut(): void;
}

export type HttpHandler = (
  request: Request,
  info: Pick<Deno.ServeHandlerInfo, "completed">,
) => Response | Promise<Response>;

/** Where Deno listens for the end that the connection is to have. */
interface CutSignal {
  addEventListener(type: "abort", listener: () => void): void;
}

type ServeHttpOnConnection = (
  connection: Deno.Conn,
  signal: CutSignal,
  handler: HttpHandler,
  onError: (error: unknown) => Response,
  onListen: () => void,
) => { readonly finished: Promise<void> };

/**
 * How Deno serves a connection that somebody else accepted. `Deno.serve` has no limits of
 * connections and no deadlines, and its accept loop ends the process when there are no file
 * descriptors left. Deno has no public name for this half of it (2.9).
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

/**
 * Serves HTTP on an accepted connection.
 * @param onError told what Deno would print past the logger
 */
export function serveHttp(
  serve: ServeHttpOnConnection,
  connection: Deno.Conn,
  handler: HttpHandler,
  onError: (error: unknown) => Response,
): HttpConnection {
  let abort: (() => void) | undefined;
  // Not an AbortSignal: what a listener of one throws nobody can catch, and Deno's throws where the
  // connection has just ended.
  const signal: CutSignal = { addEventListener: (_, listener) => abort = listener };
  const { finished } = serve(connection, signal, handler, onError, () => {});
  return {
    finished,
    cut() {
      try {
        abort?.();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}
