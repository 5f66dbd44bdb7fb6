import { MpcError } from "@mpc/domain";

/** Where a server listens; port 0 picks a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Spells an address as `HOST:PORT`. */
export const formatAddress = ({ host, port }: Address): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

/**
 * Reads `HOST:PORT`.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_ADDRESS`
 */
export function parseAddress(flag: string, text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new MpcError("INVALID_ARGUMENT", {
    reason: "INVALID_ADDRESS",
    message: `Cannot read ${flag} '${text}': must be HOST:PORT, for instance 127.0.0.1:8080`,
  });
}

/** Whether only this machine can reach an address. */
export const isLoopback = ({ host }: Address): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
