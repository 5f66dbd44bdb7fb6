/** Which addresses events may be sent to: protection against server-side request forgery. */
import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";
import { DeliveryFailure } from "./delivery_failure.ts";
import type { AllowedTarget } from "./sinks_file.ts";

/** An address to connect to. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Finds the addresses of a host. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

/** The resolver of this machine. */
export const resolveHost: Resolve = (host) => lookup(host, { all: true });

/**
 * The addresses of a URL's host, all of them checked. The caller connects to these: a name that is
 * resolved a second time may have another answer.
 * @param hostname as `URL` has it, which has already normalized decimal and octal addresses
 * @throws {DeliveryFailure} if there is none, or one of them is not allowed
 */
export async function checkedAddresses(
  hostname: string,
  allow: readonly AllowedTarget[],
  resolve: Resolve,
): Promise<readonly CheckedAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const isHostAllowed = allow.some((entry) => "host" in entry && entry.host === host);
  const found = ipaddr.isValid(host) ? [{ address: host }] : await resolved(host, resolve);
  return found.map(({ address }) => {
    // A zone only names an interface of this machine.
    const parsed = ipaddr.process(address.split("%", 1)[0]!);
    if (!isHostAllowed && !isPublic(parsed) && !isAllowed(parsed, allow)) {
      throw new DeliveryFailure(
        `The address of '${host}' is ${parsed.range()}, not public; name the host or the address ` +
          "under 'allow' if events may be sent there",
      );
    }
    return { address: parsed.toString(), family: parsed.kind() === "ipv4" ? 4 : 6 };
  });
}

async function resolved(host: string, resolve: Resolve): ReturnType<Resolve> {
  let found: Awaited<ReturnType<Resolve>>;
  try {
    found = await resolve(host);
  } catch (error) {
    throw new DeliveryFailure(`The host '${host}' cannot be resolved`, { cause: error });
  }
  if (found.length === 0) throw new DeliveryFailure(`The host '${host}' has no address`);
  return found;
}

/** Whether everybody on the internet has the same address: not private, local, tunnelled or reserved. */
const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean => address.range() === "unicast";

const isAllowed = (
  address: ipaddr.IPv4 | ipaddr.IPv6,
  allow: readonly AllowedTarget[],
): boolean =>
  allow.some((entry) =>
    "range" in entry && entry.range[0].kind() === address.kind() &&
    address.match(entry.range[0], entry.range[1])
  );
