import { type Address, isLoopback } from "@mpc/process";

/** What decides whether other machines may reach the doors. */
export interface Exposure {
  readonly grpcListen: Address;
  readonly webListen: Address;
  /** Whether the doors serve TLS. */
  readonly tls: boolean;
  /** Whether callers authenticate, by an access file. */
  readonly access: boolean;
}

/** What the doors lack for other machines to reach them; undefined if they lack nothing. */
export function exposureProblem(
  { grpcListen, webListen, tls, access }: Exposure,
): { readonly flag: "grpcListen" | "webListen"; readonly lacks: string } | undefined {
  const flag = !isLoopback(grpcListen)
    ? "grpcListen"
    : !isLoopback(webListen)
    ? "webListen"
    : undefined;
  const lacks = [
    ...tls ? [] : ["TLS (--tls-cert and --tls-key)"],
    ...access ? [] : ["authentication (--access-file)"],
  ];
  return flag && lacks.length > 0 ? { flag, lacks: lacks.join(" and ") } : undefined;
}
