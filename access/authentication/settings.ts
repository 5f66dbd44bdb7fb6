/** The section `authentication` of the access file: the kinds of credentials that callers may use. */
import { z } from "zod";
import { isTrustedUrl } from "./trusted_url.ts";

/** Signatures by a private key; `none` and those by a shared secret are not among them. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const MAX_ISSUERS = 20;

const text = z.string().min(1, "must not be empty").max(300, "must be at most 300 characters");
const prefix = z.string().max(100, "must be at most 100 characters");
const number = (min: number, max: number) =>
  z.number({ error: "must be a number" }).min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

/** What holds for every issuer of tokens. */
const TRUST = {
  /** Exactly as the claim `iss` of its tokens. */
  issuer: text.refine(isTrustedUrl, {
    error: "must be an https URL without user, query and fragment (http on loopback only)",
  }),
  algorithms: z.array(
    z.enum(ALGORITHMS, { error: `must be one of ${ALGORITHMS.join(", ")}` }),
  ).min(1, "must name at least one algorithm").default(["RS256", "ES256", "EdDSA"]),
  /** By how much clocks may differ. */
  skewSeconds: number(0, 300).default(30),
  /** How long known keys stay in use while the issuer cannot be reached. */
  keepKeysHours: number(0, 168).default(24),
  /** A JWKS file in the place of the issuer's own keys. */
  keysFile: text.optional(),
  /** PEM file of the certificate authorities that the issuer's server is trusted by. */
  caFile: text.optional(),
  /** Before the name of the principal, after `user:` or `serviceaccount:`. */
  usernamePrefix: prefix.default(""),
  groupsPrefix: prefix.default(""),
};

const oidc = z.strictObject({
  ...TRUST,
  /** Shown to people who choose where to sign in. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
    error: "must be lower-case letters, digits and '-', for instance 'company'",
  }),
  /** The public client of mpctl; without it people must get their tokens by other means. */
  clientId: text.optional(),
  /** What `aud` must hold; the client id by default. */
  audience: text.optional(),
  scopes: z.array(text).max(20).default(["openid", "profile", "email", "offline_access"]),
  usernameClaim: text.default("sub"),
  groupsClaim: text.default("groups"),
}).refine(({ clientId, audience }) => clientId !== undefined || audience !== undefined, {
  error: "needs a clientId, an audience or both: tokens for others must not be accepted",
  path: ["audience"],
});

const serviceAccounts = z.strictObject({
  ...TRUST,
  audience: text,
  /** The cluster that a worker asks about each token (TokenReview), in the place of keys. */
  cluster: text.optional(),
}).refine(({ cluster, keysFile, caFile }) => cluster === undefined || !(keysFile ?? caFile), {
  error: "reviews the tokens itself: leave out keysFile and caFile",
  path: ["cluster"],
});

const clientCertificates = z.strictObject({
  /** Where the name of the principal is: the common name, or an alternative name. */
  username: z.enum(["commonName", "uri", "email"], {
    error: "must be commonName, uri or email",
  }).default("commonName"),
  groupsPrefix: prefix.default(""),
});

export const AUTHENTICATION = z.strictObject({
  oidc: z.array(oidc).max(MAX_ISSUERS).default([]),
  /** Whether static tokens are accepted (`mpctl token create`). */
  tokens: z.boolean({ error: "must be true or false" }).default(false),
  serviceAccounts: z.array(serviceAccounts).max(MAX_ISSUERS).default([]),
  clientCertificates: clientCertificates.optional(),
}).superRefine(({ oidc, serviceAccounts }, context) => {
  const issuers = [...oidc, ...serviceAccounts].map(({ issuer }) => issuer);
  for (const [kind, list] of [["oidc", oidc], ["serviceAccounts", serviceAccounts]] as const) {
    for (const [index, { issuer }] of list.entries()) {
      if (issuers.filter((other) => other === issuer).length > 1) {
        context.addIssue({
          code: "custom",
          path: [kind, index, "issuer"],
          message: "is named twice",
        });
      }
      for (const field of ["usernamePrefix", "groupsPrefix"] as const) {
        const own = list[index]![field];
        const clashes = list.some((other, at) => at !== index && own.startsWith(other[field]));
        if (!clashes) continue;
        context.addIssue({
          code: "custom",
          path: [kind, index, field],
          message: "must not begin with that of another issuer, whose users could otherwise pass " +
            "for users of this one",
        });
      }
    }
  }
});

export type AuthenticationSettings = z.output<typeof AUTHENTICATION>;
export type OidcSettings = AuthenticationSettings["oidc"][number];
export type ServiceAccountSettings = AuthenticationSettings["serviceAccounts"][number];
export type CertificateSettings = NonNullable<AuthenticationSettings["clientCertificates"]>;
