import type { Instant } from "@mpc/domain";
import type { Identity } from "@mpc/process";

/** An identity, and how it was proved. */
export interface Authenticated extends Identity {
  readonly authentication: "OIDC" | "TOKEN" | "CERTIFICATE" | "SERVICE_ACCOUNT";
  /** When the credentials expire; null if that is not known. */
  readonly expireTime: Instant | null;
}
