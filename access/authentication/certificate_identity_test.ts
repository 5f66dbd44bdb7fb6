import assert from "node:assert/strict";
import type { PeerCertificate } from "@mpc/process";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { certificateIdentity } from "./certificate_identity.ts";
import { AUTHENTICATION } from "./settings.ts";

const NOW = Date.UTC(2030, 0, 1);

const aCertificate = (overrides: Partial<PeerCertificate> = {}): PeerCertificate => ({
  commonName: "ci",
  organizations: ["deployers", "system:masters"],
  subjectAltNames: ["DNS:ci.example.com", "URI:spiffe://example.com/ci", "email:ci@example.com"],
  serialNumber: "01",
  fingerprint: "00:01",
  notAfter: new Date(NOW + 1_000),
  ...overrides,
});

function identityOf(certificate: PeerCertificate, settings: object = {}) {
  const { clientCertificates } = AUTHENTICATION.parse({ clientCertificates: settings });
  assert.ok(clientCertificates);
  return certificateIdentity(certificate, clientCertificates, NOW);
}

Deno.test("certificateIdentity() takes the name that the settings choose", () => {
  const names = ["commonName", "uri", "email"].map((username) =>
    identityOf(aCertificate(), { username }).principal
  );
  assert.deepEqual(names, [
    "certificate:ci",
    "certificate:spiffe://example.com/ci",
    "certificate:ci@example.com",
  ]);
});

Deno.test("certificateIdentity() takes organizations as groups, without reserved ones", () => {
  assert.deepEqual(identityOf(aCertificate()).groups, ["deployers"]);
  assert.deepEqual(
    identityOf(aCertificate(), { groupsPrefix: "cert:" }).groups,
    ["cert:deployers", "cert:system:masters"],
  );
});

Deno.test("certificateIdentity() refuses a certificate without exactly one name", async (t) => {
  const cases: readonly (readonly [string, Partial<PeerCertificate>, object])[] = [
    ["no common name", { commonName: null }, {}],
    ["an empty common name", { commonName: "" }, {}],
    ["a line break", { commonName: "ci\nadmin" }, {}],
    ["no URI", { subjectAltNames: ["DNS:ci"] }, { username: "uri" }],
    ["two URIs", { subjectAltNames: ["URI:a:b", "URI:c:d"] }, { username: "uri" }],
  ];
  for (const [title, overrides, settings] of cases) {
    await t.step(title, async () => {
      const refused = Promise.try(() => identityOf(aCertificate(overrides), settings));
      await rejectsWith(refused, "UNAUTHENTICATED", "CREDENTIALS_INVALID");
    });
  }
});

Deno.test("certificateIdentity() refuses a certificate that expired on a living connection", async () => {
  const refused = Promise.try(() => identityOf(aCertificate({ notAfter: new Date(NOW) })));
  await rejectsWith(refused, "UNAUTHENTICATED", "CREDENTIALS_EXPIRED");
});
