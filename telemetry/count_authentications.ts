import { isMpcError } from "@mpc/domain";
import type { Call, Identity } from "@mpc/process";
import type { Metrics } from "./metrics.ts";

type Authenticate = (call: Call) => Identity | Promise<Identity>;

/** Counts how callers were authenticated, and why they were not. */
export function countAuthentications(
  { authentications }: Metrics,
  authenticate: Authenticate,
): Authenticate {
  const succeeded = new Map(
    ["OIDC", "TOKEN", "CERTIFICATE", "SERVICE_ACCOUNT", "NONE"].map((kind) =>
      [kind, authentications.labels(kind, "OK")] as const
    ),
  );
  const accept = (identity: Identity) => {
    succeeded.get(identity.authentication ?? "NONE")?.inc();
    return identity;
  };
  const refuse = (error: unknown): never => {
    authentications.labels("NONE", isMpcError(error) ? error.reason : "OTHER").inc();
    throw error;
  };
  return (call) => {
    let identity: Identity | Promise<Identity>;
    try {
      identity = authenticate(call);
    } catch (error) {
      return refuse(error);
    }
    return identity instanceof Promise ? identity.then(accept, refuse) : accept(identity);
  };
}
