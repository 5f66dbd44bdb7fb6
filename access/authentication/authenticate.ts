import { MpcError } from "@mpc/domain";
import type { Call, Identity } from "@mpc/process";
import type { Clock } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { AuthenticationSettings } from "./settings.ts";

/** What authenticators need. */
export interface AuthenticationDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** The section of the access file as it is now; another object after each reload. */
  readonly settings: () => AuthenticationSettings;
}

export type Authenticate = (call: Call) => Identity | Promise<Identity>;

/**
 * Turns the credentials of calls into identities.
 * @returns a function that throws {@linkcode MpcError} UNAUTHENTICATED `CREDENTIALS_MISSING` for a
 *   call without credentials
 */
export function authenticator(_deps: AuthenticationDeps): Authenticate {
  return () => {
    throw new MpcError("UNAUTHENTICATED", {
      reason: "CREDENTIALS_MISSING",
      message: "Cannot take the call: it has no credentials, and the server has an access file",
    });
  };
}
