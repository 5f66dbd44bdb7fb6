/**
 * Whatever keeps a worker from Temporal is reported by readiness, the doctor and waiting
 * operations.
 */
import assert from "node:assert/strict";
import { diagnose } from "@mpc/services";
import { freePort } from "@mpc/process";
import { loopbackCertificate } from "../servers/certificate.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startServer } from "../servers/server_process.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { withFolder } from "../servers/with_folder.ts";
import { shareTemporal } from "./shared_temporal.ts";
import { TemporalWorld } from "./temporal_world.ts";

const { address } = await shareTemporal();

Deno.test({
  name: "while Temporal is unreachable operations wait and say why, then are executed",
  ...NO_SANITIZERS,
  async fn() {
    const port = freePort();
    await using world = await TemporalWorld.start(`127.0.0.1:${port}`);
    assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
    const names = [await world.create("a"), await world.create("b"), await world.create("c")];
    const { state } = await world.until(
      names[2]!,
      ({ waitingReason }) =>
        /^engine unreachable since .*Cannot reach Temporal/.test(waitingReason),
    );
    assert.equal(state, "PENDING");
    const late = await startTemporalServer({ port });
    try {
      const ended = await Promise.all(names.map((name) => world.ended(name)));
      assert.deepEqual(ended.map(({ state }) => state), Array(3).fill("SUCCEEDED"));
    } finally {
      await world.engine.close();
      await late.stop();
    }
  },
});

const REFUSALS: readonly (readonly [string, object, string, RegExp])[] = [
  [
    "a missing namespace",
    { namespace: "nowhere" },
    "ENGINE_NAMESPACE",
    /no namespace 'nowhere'; create it with 'temporal operator namespace create nowhere'/,
  ],
  [
    "a server without TLS",
    { tls: { serverRootCa: null, client: null, serverName: null } },
    "ENGINE_TLS",
    /by TLS: the server does not speak TLS$/,
  ],
];

for (const [what, change, reason, message] of REFUSALS) {
  Deno.test({
    name: `${what} is reported as the worker's problem, by the doctor too`,
    ...NO_SANITIZERS,
    async fn() {
      const target = { address, namespace: "default", tls: null, apiKey: null, ...change };
      await using world = await TemporalWorld.start(address, { config: { target } });
      assert.equal(world.engine.problem?.reason, reason);
      assert.match(world.engine.problem?.message ?? "", message);
      const name = await world.create();
      await world.until(name, ({ waitingReason }) => message.test(waitingReason));
      const { findings } = await diagnose(world.deps, world.caller);
      const [finding] = findings.filter(({ invariant }) => invariant === "OPERATION_WAITS");
      assert.match(finding?.message ?? "", message, "the doctor reports it");
    },
  });
}

Deno.test({
  name: "a server with an untrusted certificate is reported, too",
  ...NO_SANITIZERS,
  async fn() {
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      ...await loopbackCertificate(),
    });
    const { port } = listener.addr;
    const shaking = (async () => {
      for await (const connection of listener) {
        // The client goes away during the handshake.
        await connection.handshake().then(() => connection.close(), () => connection.close());
      }
    })();
    {
      const tls = { serverRootCa: null, client: null, serverName: null };
      const target = { address: `127.0.0.1:${port}`, namespace: "default", tls, apiKey: null };
      await using world = await TemporalWorld.start(address, { config: { target } });
      await eventually("the first attempt has failed", () => {
        assert.equal(world.engine.problem?.reason, "ENGINE_TLS");
        return Promise.resolve();
      });
      assert.match(world.engine.problem?.message ?? "", /certificate is not trusted/);
    }
    listener.close();
    await shaking;
  },
});

Deno.test({
  name: "a server that requires a client certificate is reported with the flags that give one",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder(async (folder) => {
      const { cert, key } = await loopbackCertificate();
      await Deno.writeTextFile(`${folder}/cert.pem`, cert);
      await Deno.writeTextFile(`${folder}/key.pem`, key);
      const port = freePort();
      const server = startServer({
        name: "s_server",
        path: "openssl",
        args: [
          // With -www it does not read its standard input, whose end would end it.
          ...["s_server", "-www", "-accept", `127.0.0.1:${port}`, "-alpn", "h2"],
          ...["-cert", `${folder}/cert.pem`, "-key", `${folder}/key.pem`],
          ...["-Verify", "1", "-verify_return_error", "-CAfile", `${folder}/cert.pem`],
        ],
        folder,
      });
      try {
        await server.untilReady(async () => (await server.log()).includes("ACCEPT"));
        const tls = { serverRootCa: cert, client: null, serverName: null };
        const target = { address: `127.0.0.1:${port}`, namespace: "default", tls, apiKey: null };
        await using world = await TemporalWorld.start(address, { config: { target } });
        await eventually("the first attempt has failed", () => {
          assert.equal(world.engine.problem?.reason, "ENGINE_TLS");
          return Promise.resolve();
        });
        assert.match(
          world.engine.problem?.message ?? "",
          /client certificate.*--temporal-tls-cert and --temporal-tls-key$/,
        );
      } finally {
        await server.stop();
      }
    }),
});
