import type { Authorizer, Clock } from "@mpc/services";
import { allowEverything } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { readAccessFile } from "./access_file.ts";
import { type Authenticate, authenticator } from "./authentication/authenticate.ts";

/** Who callers are, and what they may do. */
export interface Access {
  /**
   * The identity of a call's caller.
   * @throws {MpcError} UNAUTHENTICATED, for instance `CREDENTIALS_MISSING`
   */
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  close(): Promise<void>;
}

/** Without an access file, the server listens only on loopback addresses, for one local user. */
const LOCAL: Access = {
  authenticate: () => ({ principal: "local", groups: [], kind: "user" }),
  authorizer: allowEverything,
  close: () => Promise.resolve(),
};

/**
 * Opens the access of a process.
 * @param file path of the access file; null to allow everything to one local user
 * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`
 */
export async function openAccess(
  file: string | null,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
): Promise<Access> {
  if (file === null) return LOCAL;
  const settings = await readAccessFile(file);
  return {
    authenticate: authenticator({ store, clock, settings: () => settings.authentication }),
    authorizer: allowEverything,
    close: () => Promise.resolve(),
  };
}
