import type { Call, Identity } from "@mpc/process";
import {
  allowEverything,
  type Authorizer,
  type Clock,
  needOf,
  type SignIn,
  StaticTokens,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { readAccessFile } from "./access_file.ts";
import { openAuthentication } from "./authentication/authenticate.ts";

/** Who callers are, and what they may do. */
export interface Access {
  /**
   * The identity of a call's caller.
   * @throws {MpcError} UNAUTHENTICATED, for instance `CREDENTIALS_MISSING`
   */
  readonly authenticate: (call: Call) => Identity | Promise<Identity>;
  /** How clients sign in. */
  readonly signIn: () => SignIn;
  /** The static tokens of this process. */
  readonly tokens: StaticTokens;
  readonly authorizer: Authorizer;
  close(): Promise<void>;
}

/** The caller while the server has no access file and listens only on loopback addresses. */
const LOCAL: Identity = { principal: "local", groups: [], kind: "user" };

/** The caller of public methods, whose credentials are not looked at. */
const ANONYMOUS: Identity = { principal: "anonymous", groups: [], kind: "user" };

const NO_SIGN_IN: SignIn = {
  issuers: [],
  tokensAccepted: false,
  clientCertificatesAccepted: false,
  credentialsRequired: false,
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
  if (file === null) {
    const tokens = new StaticTokens({ store, clock });
    return {
      authenticate: () => LOCAL,
      authorizer: allowEverything,
      signIn: () => NO_SIGN_IN,
      tokens,
      close: () => tokens.close(),
    };
  }
  const settings = await readAccessFile(file);
  const authentication = openAuthentication({
    store,
    clock,
    settings: () => settings.authentication,
  });
  const { signIn, tokens } = authentication;
  return {
    authenticate: (call) => isPublic(call) ? ANONYMOUS : authentication.authenticate(call),
    authorizer: allowEverything,
    signIn,
    tokens,
    close: () => authentication.close(),
  };
}

const isPublic = ({ service, method }: Call): boolean =>
  needOf(service.typeName, method.name)?.needs === "public";
