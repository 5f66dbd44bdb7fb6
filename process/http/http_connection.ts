import { MpcError } from "@mpc/domain";

/** A connection on which HTTP/1.1 or HTTP/2 is served. */
export interface HttpConnection {
  /** Settles when the connection has ended, for whatever reason. */
  readonly finished: Promise<void>;
  /** Ends it at once; does nothing if it has ended. */
  cut(): void;
}

export type HttpHandler = (
  request: Request,
  info: Pick<Deno.ServeHandlerInfo, "completed">,
) => Response | Promise<Response>;

/** The signal that ends the connection. */
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
 * Deno's function that serves a connection accepted by somebody else. `Deno.serve` has no
 * connection limits and no deadlines, and its accept loop ends the process when no file descriptors
 * are left. Deno has no public name for this function (2.9).
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
 * @param onError receives errors that Deno would print, bypassing the logger
 */
export function serveHttp(
  serve: ServeHttpOnConnection,
  connection: Deno.Conn,
  handler: HttpHandler,
  onError: (error: unknown) => Response,
): HttpConnection {
  let abort: (() => void) | undefined;
  // Not an AbortSignal: an exception of its listener cannot be caught, and Deno's listener throws
  // if the connection has just ended.
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
