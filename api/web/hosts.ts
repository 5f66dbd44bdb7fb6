import { isLoopback } from "@mpc/process";

const AUTHORITY = /^(?:[^@]*@)?(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/;

/** Accepted authorities that are remembered: clients repeat a few, and parsing a URL is slow. */
const MAX_ACCEPTED = 64;

/**
 * Recognizes our own hosts: loopback names, the address that the server listens on, and configured
 * hosts. Without this check, a web page could reach a server without authentication through a name
 * of its own that resolves to this machine (DNS rebinding).
 * @returns a function that tells whether an authority, `HOST` or `HOST:PORT`, is our own
 */
export function ownHosts(
  listenHost: string,
  allowed: readonly string[] = [],
): (authority: string) => boolean {
  const names = new Set([listenHost, ...allowed].map((name) => name.toLowerCase()));
  const accepted = new Set<string>();
  return (authority) => {
    if (accepted.has(authority)) return true;
    const match = AUTHORITY.exec(authority);
    const host = (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
    const known = isLoopback({ host }) || host.endsWith(".localhost") || names.has(host);
    // Some are in no URL, such as a port of 99999, and a call's URL must be readable.
    if (!known || !URL.canParse(`http://${authority}`)) return false;
    if (accepted.size < MAX_ACCEPTED) accepted.add(authority);
    return true;
  };
}

/** Whether a web page of one of our hosts makes the request; the origin `null` is not one. */
export function isOwnOrigin(origin: string, isOwn: (authority: string) => boolean): boolean {
  const match = /^https?:\/\/([^/]+)$/.exec(origin);
  return match !== null && isOwn(match[1]!);
}
