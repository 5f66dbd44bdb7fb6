/** TLS to the server, which a proxy speaks in front of it: mongo-java-server has none. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openStore } from "@mpc/storage/open_store";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { certificateAuthority, loopbackCertificate } from "../servers/certificate.ts";
import type { Certificate } from "../servers/kube_authority.ts";
import { type MongodbServer, withMongodbServer } from "../servers/mongodb_server.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTcpProxy } from "../servers/tcp_proxy.ts";
import { withFolder } from "../servers/with_folder.ts";

interface World {
  readonly server: MongodbServer;
  readonly authority: Certificate;
  /** Options of an address for a certificate authority. */
  trusting(authority: Certificate): Promise<string>;
}

/** Opens the store through a proxy with a certificate, and makes a write. */
async function useThrough({ server }: World, certificate: Certificate, options: string) {
  await using proxy = startTcpProxy(server.port, "127.0.0.1", certificate);
  const store = await openStore(`mongodb://127.0.0.1:${proxy.port}/mpc?${options}`);
  try {
    await store.environments.create(anEnvironment("dev"), { events: [anEvent("created")] });
    return await store.events.head();
  } finally {
    await store.close();
  }
}

async function rejected(world: World, certificate: Certificate, options: string): Promise<string> {
  const opened = useThrough(world, certificate, options);
  const { message } = await rejectsWith(
    opened,
    "FAILED_PRECONDITION",
    "STORE_CERTIFICATE_REJECTED",
  );
  assert.match(message, /^Cannot use the database: its server's certificate is not accepted \(/);
  return message;
}

const CASES: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async "a certificate of the authority in 'tlsCAFile' is accepted"(world) {
    const { authority } = world;
    const certificate = await loopbackCertificate({ authority });
    assert.equal(await useThrough(world, certificate, await world.trusting(authority)), 1);
  },
  async "a certificate of another authority is rejected"(world) {
    const { authority } = world;
    const certificate = await loopbackCertificate({ authority });
    await rejected(world, certificate, await world.trusting(await certificateAuthority()));
    await rejected(world, certificate, "tls=true&serverSelectionTimeoutMS=3000");
  },
  async "a certificate that has expired is rejected"(world) {
    const { authority } = world;
    const certificate = await loopbackCertificate({ authority, expired: true });
    await rejected(world, certificate, await world.trusting(authority));
  },
  async "a certificate for another host is rejected"(world) {
    const { authority } = world;
    const certificate = await loopbackCertificate({ authority, host: "db.example.com" });
    const message = await rejected(world, certificate, await world.trusting(authority));
    assert.match(message, /127\.0\.0\.1 is not in the cert's list/);
  },
  async "an address without 'tls' finds no server behind a certificate"(world) {
    const certificate = await loopbackCertificate({ authority: world.authority });
    const opened = useThrough(world, certificate, "serverSelectionTimeoutMS=500");
    const { message } = await rejectsWith(opened, "UNAVAILABLE", "STORE_UNAVAILABLE");
    assert.match(message, /check that it runs, and that the address has its host, port and 'tls'$/);
  },
};

Deno.test(
  "TLS to a MongoDB server",
  NO_SANITIZERS,
  (t) =>
    withFolder((folder) =>
      withMongodbServer(async (server) => {
        let files = 0;
        const world: World = {
          server,
          authority: await certificateAuthority(),
          async trusting({ cert }) {
            const file = join(folder, `authority-${files++}.pem`);
            await Deno.writeTextFile(file, cert);
            return `tls=true&serverSelectionTimeoutMS=3000&tlsCAFile=${encodeURIComponent(file)}`;
          },
        };
        for (const [name, fn] of Object.entries(CASES)) {
          await t.step({ name, ...NO_SANITIZERS, fn: () => fn(world) });
        }
      })
    ),
);
