import { getLogger } from "@logtape/logtape";
import { MpcError } from "@mpc/domain";

const log = getLogger(["mpc", "authentication"]);

/** The error of a call without credentials that the server accepts. */
export const credentialsMissing = (): MpcError =>
  new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_MISSING",
    message: "Cannot authenticate the caller: the call has no credentials; sign in with " +
      "'mpctl login', or send 'authorization: Bearer TOKEN'",
  });

/**
 * The error of credentials that are not accepted.
 * @param problem what is wrong with them, after "Cannot authenticate the caller: "; it must not
 *   hold any part of the credentials
 */
export function credentialsInvalid(problem: string, cause?: unknown): MpcError {
  log.debug("Credentials were refused: {problem}", { problem });
  return new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_INVALID",
    message: `Cannot authenticate the caller: ${problem}; sign in again with 'mpctl login'`,
    cause,
  });
}

/** The error of credentials whose time is over. */
export const credentialsExpired = (cause?: unknown): MpcError =>
  new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_EXPIRED",
    message: "Cannot authenticate the caller: its token has expired; sign in again with " +
      "'mpctl login'",
    cause,
  });

/** The error of a call whose token a cluster cannot review now. */
export const reviewUnavailable = (cluster: string, cause?: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "ISSUER_UNAVAILABLE",
    message: `Cannot authenticate the caller: cluster '${cluster}' cannot review its token now; ` +
      "try again, or see why in the server's log",
    metadata: { cluster },
    cause,
  });

/** The error of a call whose token cannot be verified now. */
export const issuerUnavailable = (issuer: string, cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "ISSUER_UNAVAILABLE",
    message: `Cannot authenticate the caller: the keys of the issuer '${issuer}' cannot be read ` +
      "now; try again, or check that the server can reach the issuer",
    metadata: { issuer },
    cause,
  });
