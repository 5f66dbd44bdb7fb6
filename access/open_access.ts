import type { MpcError } from "@mpc/domain";
import type { Call, Identity } from "@mpc/process";
import {
  allowEverything,
  type Authorizer,
  type Clock,
  type LimitsOf,
  needOf,
  type SignIn,
  StaticTokens,
  type TokenReviewer,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openAccessFile } from "./access_file.ts";
import { openAuthentication } from "./authentication/authenticate.ts";
import { RoleAuthorizer } from "./role_authorizer.ts";
import { Rules } from "./rules.ts";
import type { AccessSettings } from "./settings.ts";

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
  /** What callers may have and do at the same time; absent if nobody is limited. */
  readonly limitsOf?: LimitsOf;
  /** Why the access file as it is now is not in force; null if it is. */
  readonly problem: () => MpcError | null;
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
  { store, clock, reviewer }: {
    readonly store: Store;
    readonly clock: Clock;
    readonly reviewer: TokenReviewer;
  },
): Promise<Access> {
  if (file === null) {
    const tokens = new StaticTokens({ store, clock });
    return {
      authenticate: () => LOCAL,
      authorizer: allowEverything,
      signIn: () => NO_SIGN_IN,
      tokens,
      problem: () => null,
      close: () => tokens.close(),
    };
  }
  const opened = await openAccessFile(file);
  opened.watch(clock);
  const authentication = openAuthentication({
    store,
    clock,
    reviewer,
    settings: () => opened.settings.authentication,
  });
  const { signIn, tokens } = authentication;
  const rules = rulesOf(opened);
  return {
    authenticate: (call) => isPublic(call) ? ANONYMOUS : authentication.authenticate(call),
    authorizer: new RoleAuthorizer(rules, store),
    limitsOf: (subject) => rules().limitsOf(subject),
    signIn,
    tokens,
    problem: () => opened.problem,
    async close() {
      await Promise.all([opened.close(), authentication.close()]);
    },
  };
}

const isPublic = ({ service, method }: Call): boolean =>
  needOf(service.typeName, method.name)?.needs === "public";

/** The rules of a file as it is now. */
export function rulesOf(file: { readonly settings: AccessSettings }): () => Rules {
  let made: { readonly settings: AccessSettings; readonly rules: Rules } | undefined;
  return () => {
    const { settings } = file;
    if (made?.settings !== settings) made = { settings, rules: new Rules(settings) };
    return made.rules;
  };
}
