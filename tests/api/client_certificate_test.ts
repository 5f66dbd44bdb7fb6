/** From a TLS client certificate to an identity and its permissions, at both doors. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type AllInOne, startAllInOne } from "@mpc/api";
import {
  AccessService,
  AuthenticationMethod,
  CallerKind,
  EnvironmentService,
  ErrorInfoSchema,
} from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { createTlsFetch, type TlsFiles } from "../../client/tls_fetch.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { type Pair, TestAuthority, writePair } from "../servers/test_authority.ts";
import { withFolder } from "../servers/with_folder.ts";
import { failure } from "./doors.ts";

const FILE = `
authentication: {clientCertificates: {groupsPrefix: "org:"}}
bindings:
  - {role: viewer, groups: ["org:team-a"]}
  - {role: admin, principals: ["certificate:ann"], environments: {names: [team-a-*]}}
`;

const authority = await TestAuthority.create();
const ca = authority.cert;
const ann = await authority.issue("ann", { organization: "team-a" });
const bob = await authority.issue("bob", { organization: "team-a" });
const eve = await authority.issue("eve", { organization: "elsewhere" });

const filesOf = (own?: Pair): TlsFiles =>
  own ? { ca, certificate: own.cert, key: own.key } : { ca };

type Open = (
  platform: AllInOne,
  files: TlsFiles,
  host: string,
) => { readonly transport: Transport; readonly close: () => void };

const DOORS: Readonly<Record<string, Open>> = {
  gRPC({ grpcAddress: { port } }, tls, host) {
    const transport = createGrpcTransport(new URL(`grpcs://${host}:${port}`), { tls });
    return { transport, close: () => transport.close() };
  },
  web({ webAddress: { port } }, tls, host) {
    const { fetch, close } = createTlsFetch(tls);
    const transport = createConnectTransport({ baseUrl: `https://${host}:${port}`, fetch });
    return { transport, close };
  },
};

/** Runs with a server that takes client certificates of the authority. */
async function withServer(
  use: (platform: AllInOne) => Promise<void>,
  own?: Pair,
): Promise<void> {
  await withFolder(async (folder) => {
    const accessFile = join(folder, "access.yaml");
    await writeFile(accessFile, FILE);
    const clientCaFile = join(folder, "ca.crt");
    await writeFile(clientCaFile, ca);
    const pair = await writePair(folder, "server", own ?? await authority.issue("server"));
    const tls = { ...pair, clientCaFile };
    const platform = await startAllInOne({ ...QUIET_CONFIG, accessFile, tls });
    try {
      await use(platform);
    } finally {
      await platform.close();
    }
  });
}

const reasonOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0]?.reason;

for (const [door, open] of Object.entries(DOORS)) {
  const test = (title: string, fn: () => Promise<void>) =>
    Deno.test({ name: `client certificate by ${door}: ${title}`, ...NO_SANITIZERS, fn });

  test("its name and its organizations decide what the caller may do", () =>
    withServer(async (platform) => {
      const clients = (own?: Pair, host = "localhost") => {
        const { transport, close } = open(platform, filesOf(own), host);
        return {
          access: createClient(AccessService, transport),
          environments: createClient(EnvironmentService, transport),
          [Symbol.dispose]: close,
        };
      };
      using anns = clients(ann);
      const who = await anns.access.whoAmI({});
      assert.deepEqual(
        [who.principal, who.groups, who.kind, who.authentication],
        ["certificate:ann", ["org:team-a"], CallerKind.SERVICE, AuthenticationMethod.CERTIFICATE],
      );
      assert.ok(who.expireTime, "as the certificate does");
      await anns.environments.createEnvironment({ environmentId: "team-a-1", environment: {} });
      const elsewhere = await failure(
        anns.environments.createEnvironment({ environmentId: "team-b-1", environment: {} }),
      );
      assert.deepEqual(
        [elsewhere.code, reasonOf(elsewhere)],
        [Code.PermissionDenied, "PERMISSION_MISSING"],
      );

      // Another name of the same organization may only look.
      using bobs = clients(bob, "127.0.0.1");
      const { environments } = await bobs.environments.listEnvironments({});
      assert.deepEqual(environments.map(({ name }) => name), ["environments/team-a-1"]);
      const deletion = { name: "environments/team-a-1", force: true };
      const denied = await failure(bobs.environments.deleteEnvironment(deletion));
      assert.equal(denied.code, Code.PermissionDenied);
      assert.match(denied.rawMessage, /^Cannot do this as 'certificate:bob': permission/);

      using eves = clients(eve);
      const unknown = await failure(eves.environments.listEnvironments({}));
      assert.equal(unknown.code, Code.PermissionDenied);
      assert.equal((await eves.access.whoAmI({})).principal, "certificate:eve");

      using nobodys = clients();
      const missing = await failure(nobodys.access.whoAmI({}));
      assert.deepEqual(
        [missing.code, reasonOf(missing)],
        [Code.Unauthenticated, "CREDENTIALS_MISSING"],
      );
    }));

  test("foreign and expired certificates make no call", () =>
    withServer(async (platform) => {
      const foreign = await TestAuthority.create("foreign authority");
      const bad = [
        await foreign.issue("ann", { organization: "team-a" }),
        await authority.issue("ann", { organization: "team-a", validMs: -1_000 }),
      ];
      for (const pair of bad) {
        const { transport, close } = open(platform, filesOf(pair), "localhost");
        try {
          await assert.rejects(createClient(AccessService, transport).whoAmI({}));
        } finally {
          close();
        }
      }
    }));

  test("a server's certificate must have the address that is called", async () => {
    const ownName = await authority.issue("server", { address: false });
    await withServer(async (platform) => {
      for (const [host, answers] of [["localhost", true], ["127.0.0.1", false]] as const) {
        const { transport, close } = open(platform, filesOf(ann), host);
        try {
          const call = createClient(AccessService, transport).whoAmI({});
          if (answers) assert.equal((await call).principal, "certificate:ann");
          else await assert.rejects(call, /certificate/);
        } finally {
          close();
        }
      }
      const other = await TestAuthority.create("another authority");
      const { transport, close } = open(platform, { ca: other.cert }, "127.0.0.1");
      try {
        await assert.rejects(createClient(AccessService, transport).whoAmI({}), /certificate/);
      } finally {
        close();
      }
    }, ownName);
  });
}
