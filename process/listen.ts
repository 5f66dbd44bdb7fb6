import type { Server } from "node:net";
import { MpcError } from "@mpc/domain";
import { type Address, formatAddress } from "./address.ts";

/**
 * Makes a server listen.
 * @returns the address with the actual port
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function listen(server: Server, address: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, address)));
    server.listen({ ...address, backlog: 1_024 }, () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
      resolve({ host: address.host, port });
    });
  });
}

/** The error of a server that cannot listen. */
export function listenError(error: unknown, address: Address): MpcError {
  const code = error instanceof Error && "code" in error ? error.code : "";
  const inUse = code === "EADDRINUSE" || error instanceof Deno.errors.AddrInUse;
  const detail = error instanceof Deno.errors.NotCapable
    ? "this task may listen on loopback addresses only; start 'deno task api:network', or " +
      "'deno task dev:cluster' in place of 'deno task dev', with the same flags"
    : error instanceof Error
    ? error.message
    : String(error);
  return new MpcError("FAILED_PRECONDITION", {
    reason: inUse ? "PORT_IN_USE" : "CANNOT_LISTEN",
    message: inUse
      ? `Cannot listen on ${
        formatAddress(address)
      }: the port is in use; stop what uses it, or choose another (port 0 picks a free one)`
      : `Cannot listen on ${formatAddress(address)}: ${detail}`,
    cause: error,
  });
}
