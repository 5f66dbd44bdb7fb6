/** The connection of API and worker on different machines: TLS with certificates of both sides. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { CertificateFiles, Components } from "@mpc/process";
import { createPlanner } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { WorkerCluster } from "../../api/cluster/worker_cluster.ts";
import { WorkerTls } from "../../api/cluster/worker_tls.ts";
import { serveInternal } from "../../worker/internal/serve_internal.ts";
import { serveHealth } from "../../worker/serve_health.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { rawPeer } from "../fuzz/raw_peer.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { type Pair, TestAuthority, writePair } from "../servers/test_authority.ts";
import { withFolder } from "../servers/with_folder.ts";

/** Longer than any test takes, so that only the test itself reads files again. */
const NEVER_MS = 1_000_000;

/** The authority of the platform's own processes. */
const internal = await TestAuthority.create("internal");
const foreign = await TestAuthority.create("foreign");
const workers = await internal.issue("worker", { purpose: "serverAuth" });
const apis = await internal.issue("api", { purpose: "clientAuth" });

interface World {
  readonly folder: string;
  readonly url: URL;
  readonly certificates: CertificateFiles;
  /** The API's side, with a certificate. */
  call(pair: Pair, ca?: string): Promise<string>;
}

async function filesOf(folder: string, name: string, pair: Pair, ca: string) {
  const caFile = join(folder, `${name}-ca.crt`);
  await writeFile(caFile, ca);
  return { ...await writePair(folder, name, pair), caFile };
}

/** Runs with a worker's internal service, which counts what it is asked. */
function test(
  title: string,
  use: (world: World, asked: () => number) => Promise<void>,
): void {
  Deno.test({
    name: `worker by TLS: ${title}`,
    ...NO_SANITIZERS,
    fn: () =>
      withFolder(async (folder) => {
        const store = openMemoryStore();
        const provider = new SimulatedProvider({
          clock: new FakeClock(),
          delays: NO_DELAYS,
          statePath: null,
        });
        let asked = 0;
        const counted = Object.create(provider, {
          name: {
            get() {
              asked++;
              return provider.name;
            },
          },
        });
        const { caFile, ...pair } = await filesOf(folder, "worker", workers, internal.cert);
        const certificates = new CertificateFiles(
          { ...pair, clientCaFile: caFile, flagPrefix: "internal-" },
          { pollMs: NEVER_MS },
        );
        const engine = {
          name: "idle",
          start: () => Promise.reject(new Error("not an engine")),
          cancel: () => Promise.reject(new Error("not an engine")),
          status: () => Promise.resolve({ state: "absent" as const }),
          close: () => Promise.resolve(),
        };
        const server = await serveInternal(
          { cluster: counted, planner: createPlanner(store, provider), engine },
          { host: "127.0.0.1", port: 0 },
          { certificates: () => certificates.current },
        );
        const url = new URL(`https://localhost:${server.address.port}`);
        const call: World["call"] = async (own, ca = internal.cert) => {
          const files = await filesOf(folder, crypto.randomUUID(), own, ca);
          const tls = await WorkerTls.open(files, NEVER_MS);
          try {
            return await new WorkerCluster([url], { fetch: tls.fetch }).provider();
          } finally {
            await tls.close();
          }
        };
        try {
          await use({ folder, url, certificates, call }, () => asked);
        } finally {
          await server.close();
          certificates.close();
          await provider.close();
          await store.close();
        }
      }),
  });
}

const NOBODY = "unknown, no worker answers";

test("an API with a certificate of the authority is answered", async ({ call }, asked) => {
  assert.equal(await call(apis), "simulated");
  assert.equal(asked(), 1);
});

test("nobody else is asked anything, nor answered", async ({ call, url }, asked) => {
  assert.equal(await call(await foreign.issue("api")), NOBODY, "a foreign authority");
  const past = await internal.issue("api", { validMs: -1_000 });
  assert.equal(await call(past), NOBODY, "an expired certificate");
  assert.equal(await call(internal.pair), NOBODY, "the authority itself");
  using client = Deno.createHttpClient({ caCerts: [internal.cert] });
  const path = `${url.origin}/mpc.internal.v1.ClusterService/GetCluster`;
  const headers = { "content-type": "application/json" };
  await assert.rejects(fetch(path, { method: "POST", headers, body: "{}", client }));
  const plain = await rawPeer(Number(url.port), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match(await plain.ended, /^HTTP\/1\.1 400 .*call it by https/s);
  assert.equal(asked(), 0);
  assert.equal(await call(apis), "simulated", "and the API still is");
});

test("an API asks only a worker of its authority", async ({ call }, asked) => {
  assert.equal(await call(apis, foreign.cert), NOBODY);
  assert.equal(asked(), 0);
});

test("both sides take new certificates while they run", async (world) => {
  const { folder, url, certificates } = world;
  const files = await filesOf(folder, "api", apis, internal.cert);
  const tls = await WorkerTls.open(files, NEVER_MS);
  const cluster = new WorkerCluster([url], { fetch: tls.fetch });
  try {
    assert.equal(await cluster.provider(), "simulated");
    // The authority is replaced: first at the worker.
    const next = await TestAuthority.create("next");
    await filesOf(folder, "worker", await next.issue("worker"), next.cert);
    certificates.check();
    assert.equal(await world.call(apis), NOBODY);
    await writeFile(files.keyFile, "not a key");
    await tls.check();
    assert.match(
      await tls.assertReady() ?? "",
      /^the new certificates for calls to workers cannot/,
    );
    await filesOf(folder, "api", await next.issue("api"), next.cert);
    await tls.check();
    assert.equal(await tls.assertReady(), undefined);
    assert.equal(await cluster.provider(), "simulated");
  } finally {
    await tls.close();
  }
});

test("wrong files are named by their flags", async ({ folder }) => {
  const { certFile } = await writePair(folder, "one", workers);
  const { keyFile } = await writePair(folder, "other", apis);
  const caFile = join(folder, "missing.crt");
  assert.throws(
    () => new CertificateFiles({ certFile, keyFile, clientCaFile: null, flagPrefix: "internal-" }),
    { message: /the key of --internal-tls-key does not belong to --internal-tls-cert/ },
  );
  await assert.rejects(WorkerTls.open({ caFile, certFile, keyFile }), {
    reason: "CERTIFICATE_UNUSABLE",
    message: /^Cannot call workers by TLS: --worker-tls-ca '.*missing\.crt' cannot be read/,
  });
});

Deno.test("the metrics of a worker are for its machine, unless they are public", async () => {
  const metrics = () => Promise.resolve(new Response("figures"));
  const own = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  for (const publicMetrics of [false, true]) {
    await using components = new Components();
    const options = { components, metrics, publicMetrics };
    const health = serveHealth(options, { host: "0.0.0.0", port: 0 });
    try {
      const get = async (host: string, path: string) => {
        const response = await fetch(`http://${host}:${health.address.port}${path}`);
        return [response.status, await response.text()] as const;
      };
      assert.deepEqual(await get("127.0.0.1", "/metrics"), [200, "figures"]);
      if (!own) continue;
      const [status, text] = await get(own.address, "/metrics");
      assert.equal(status, publicMetrics ? 200 : 403, text);
      if (!publicMetrics) assert.match(text, /--public-metrics/);
      assert.equal((await get(own.address, "/healthz"))[0], 200, "kubelets ask from elsewhere");
      assert.equal((await get(own.address, "/readyz"))[0], 200);
    } finally {
      await health.close();
    }
  }
});
