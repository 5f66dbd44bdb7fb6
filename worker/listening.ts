import { type Address, listenError } from "@mpc/process";

/** A server of this process. */
export interface Listening {
  readonly address: Address;
  close(): Promise<void>;
}

/**
 * Answers requests at an address.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function listening(
  { host, port }: Address,
  answer: (request: Request, peer: Pick<Address, "host">) => Promise<Response>,
): Listening {
  try {
    const server = Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request, { remoteAddr }) => answer(request, { host: remoteAddr.hostname }),
    );
    return { address: { host, port: server.addr.port }, close: () => server.shutdown() };
  } catch (error) {
    throw listenError(error, { host, port });
  }
}
