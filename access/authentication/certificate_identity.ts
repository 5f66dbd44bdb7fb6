import { type Instant, isPrintable, isReservedGroup } from "@mpc/domain";
import type { PeerCertificate } from "@mpc/process";
import type { Authenticated } from "./authenticated.ts";
import { credentialsExpired, credentialsInvalid } from "./refusals.ts";
import type { CertificateSettings } from "./settings.ts";

/** How Node.js writes the kinds of alternative names ("X509Certificate.subjectAltName"). */
const KINDS = { uri: "URI:", email: "email:" } as const;

/**
 * The identity of a client certificate that TLS has verified. Its organizations are its groups, as in
 * Kubernetes.
 * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` or `CREDENTIALS_EXPIRED`
 */
export function certificateIdentity(
  certificate: PeerCertificate,
  { username, groupsPrefix }: CertificateSettings,
  now: Instant,
): Authenticated {
  const { organizations, notAfter } = certificate;
  // Connections outlive certificates.
  if (notAfter.getTime() <= now) throw credentialsExpired();
  const names = namesOf(certificate, username);
  const [name = ""] = names;
  if (names.length !== 1 || name === "" || !isPrintable(name)) {
    throw credentialsInvalid(`its client certificate must have exactly one name (${username})`);
  }
  const groups = organizations.map((organization) => `${groupsPrefix}${organization}`)
    .filter((group) => isPrintable(group) && !isReservedGroup(group));
  return {
    principal: `certificate:${name}`,
    groups,
    kind: "service",
    authentication: "CERTIFICATE",
    expireTime: notAfter.getTime(),
  };
}

function namesOf(
  { commonName, subjectAltNames }: PeerCertificate,
  username: CertificateSettings["username"],
): readonly string[] {
  if (username === "commonName") return commonName === null ? [] : [commonName];
  const kind = KINDS[username];
  return subjectAltNames.filter((name) => name.startsWith(kind))
    .map((name) => name.slice(kind.length));
}
