import type { Credentials, Identity } from "@mpc/process";

/** An identity, with how it was proved. */
export interface Authenticated extends Identity {
  readonly credentials: Credentials;
}
