import { isPrintable, isReservedGroup } from "@mpc/domain";
import type { JWTPayload } from "jose";
import type { Authenticated } from "./authenticated.ts";
import { credentialsInvalid } from "./refusals.ts";
import type { OidcSettings, ServiceAccountSettings } from "./settings.ts";

/** Who a verified token is about. */
export type Subject = Pick<Authenticated, "principal" | "groups" | "kind">;

const MAX_GROUPS = 500;

/** `system:serviceaccount:NAMESPACE:NAME` (Kubernetes, "Managing Service Accounts"). */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;

/**
 * The user that the claims of an OIDC issuer name.
 * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID`
 */
export function userOf(
  claims: JWTPayload,
  { usernameClaim, usernamePrefix, groupsClaim, groupsPrefix }: OidcSettings,
): Subject {
  const username = claims[usernameClaim];
  if (typeof username !== "string" || username === "" || !isPrintable(username)) {
    throw credentialsInvalid(`the claim '${usernameClaim}' of its token is not a name`);
  }
  // An address that the issuer has not checked may be anybody's.
  const { email_verified: verified } = claims;
  if (usernameClaim === "email" && verified !== undefined && verified !== true) {
    throw credentialsInvalid("its issuer has not verified the email address of its token");
  }
  const groups = groupsOf(claims[groupsClaim], groupsClaim)
    .map((group) => `${groupsPrefix}${group}`)
    .filter((group) => !isReservedGroup(group));
  const principal = `user:${usernamePrefix}${username}`;
  return { principal, groups, kind: "user" };
}

/** An absent claim is no groups; a single text is one group. */
function groupsOf(claim: unknown, name: string): readonly string[] {
  const groups: readonly unknown[] = claim === undefined || claim === null
    ? []
    : Array.isArray(claim)
    ? claim
    : [claim];
  if (groups.length > MAX_GROUPS) {
    throw credentialsInvalid(`the claim '${name}' of its token has more than ${MAX_GROUPS} groups`);
  }
  return groups.map((group) => {
    if (typeof group === "string" && group !== "" && isPrintable(group)) return group;
    throw credentialsInvalid(`the claim '${name}' of its token is not a list of names`);
  });
}

/**
 * The Kubernetes service account that a token is of, with the groups that Kubernetes gives it.
 * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID`
 */
export function serviceAccountOf(
  { sub }: JWTPayload,
  { usernamePrefix, groupsPrefix }: ServiceAccountSettings,
): Subject {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(sub ?? "") ?? [];
  if (namespace === undefined || name === undefined) {
    throw credentialsInvalid("its token is not one of a service account");
  }
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return {
    principal: `serviceaccount:${usernamePrefix}${namespace}:${name}`,
    groups: groups.map((group) => `${groupsPrefix}${group}`),
    kind: "service",
  };
}
