import assert from "node:assert/strict";
import { AUTHENTICATION } from "./settings.ts";

const OIDC = { name: "company", issuer: "https://login.example.com", audience: "mpc" };
const CLUSTER = { issuer: "https://kubernetes.default.svc", audience: "mpc" };

Deno.test("settings have defaults that accept nothing", () => {
  assert.deepEqual(AUTHENTICATION.parse({}), { oidc: [], tokens: false, serviceAccounts: [] });
});

Deno.test("an issuer has safe defaults", () => {
  const { oidc: [issuer] } = AUTHENTICATION.parse({ oidc: [OIDC] });
  assert.deepEqual(issuer?.algorithms, ["RS256", "ES256", "EdDSA"]);
  assert.deepEqual([issuer.skewSeconds, issuer.usernameClaim], [30, "sub"]);
});

Deno.test("settings that would accept too much are refused, with their place", async (t) => {
  const cases: readonly (readonly [string, object, string])[] = [
    ["http", { oidc: [{ ...OIDC, issuer: "http://login.example.com" }] }, "oidc.0.issuer"],
    ["a file", { oidc: [{ ...OIDC, issuer: "file:///etc/passwd" }] }, "oidc.0.issuer"],
    ["a password", { oidc: [{ ...OIDC, issuer: "https://a:b@example.com" }] }, "oidc.0.issuer"],
    ["HMAC", { oidc: [{ ...OIDC, algorithms: ["HS256"] }] }, "oidc.0.algorithms.0"],
    ["no algorithm", { oidc: [{ ...OIDC, algorithms: ["none"] }] }, "oidc.0.algorithms.0"],
    ["no audience", { oidc: [{ ...OIDC, audience: undefined }] }, "oidc.0.audience"],
    ["a long skew", { oidc: [{ ...OIDC, skewSeconds: 3_600 }] }, "oidc.0.skewSeconds"],
    ["an unknown field", { oidc: [{ ...OIDC, audiences: [] }] }, "oidc.0"],
    [
      "two issuers whose users have the same names",
      { oidc: [OIDC, { ...OIDC, issuer: "https://other.example.com", groupsPrefix: "b:" }] },
      "oidc.0.usernamePrefix",
    ],
    [
      "an issuer whose users can take the prefix of another",
      {
        oidc: [
          { ...OIDC, usernamePrefix: "a:", groupsPrefix: "a:" },
          {
            ...OIDC,
            issuer: "https://other.example.com",
            usernamePrefix: "a:b:",
            groupsPrefix: "b:",
          },
        ],
      },
      "oidc.1.usernamePrefix",
    ],
    [
      "an issuer twice",
      { oidc: [{ ...OIDC, issuer: CLUSTER.issuer }], serviceAccounts: [CLUSTER] },
      "oidc.0.issuer",
    ],
    [
      "a cluster that reviews tokens, and keys",
      { serviceAccounts: [{ ...CLUSTER, cluster: "default", keysFile: "keys.json" }] },
      "serviceAccounts.0.cluster",
    ],
    [
      "an unknown name of certificates",
      { clientCertificates: { username: "dns" } },
      "clientCertificates.username",
    ],
  ];
  for (const [title, settings, place] of cases) {
    await t.step(title, () => {
      const { error } = AUTHENTICATION.safeParse(settings);
      assert.equal(error?.issues[0]?.path.join("."), place);
    });
  }
});
