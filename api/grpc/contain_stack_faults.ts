import { getLogger } from "@logtape/logtape";

const log = getLogger(["mpc", "grpc"]);

/**
 * Keeps the process alive when the HTTP/2 stack throws where nothing can catch it. Only errors with
 * the codes of `node:http2` are contained. In a server process only the gRPC door uses that module,
 * so they concern one connection. Each is logged as a fault; all other errors end the process.
 */
export function containStackFaults(): Disposable {
  const contain = (event: ErrorEvent) => {
    const { error } = event;
    if (!(error instanceof Error) || !("code" in error)) return;
    if (typeof error.code !== "string" || !error.code.startsWith("ERR_HTTP2_")) return;
    event.preventDefault();
    log.error("Uncaught fault of the HTTP/2 stack: {error}", { error });
  };
  globalThis.addEventListener("error", contain);
  return {
    [Symbol.dispose]: () => globalThis.removeEventListener("error", contain),
  };
}
