/** The address of a server; port 0 picks a free port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Formats an address as `HOST:PORT`. */
export const formatAddress = ({ host, port }: Address): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** Parses `HOST:PORT`; undefined if it is invalid. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

/** Whether only this machine can reach an address. */
export const isLoopback = ({ host }: Pick<Address, "host">): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
