import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MpcError } from "@mpc/domain";
import { readAllInOneConfig, readApiConfig } from "./config.ts";

const ON_TEMPORAL = "--engine=temporal";
const ELSEWHERE = "needs --temporal-address: it is not for the Temporal that dev starts";

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["--temporal-address=nowhere"], "--temporal-address 'nowhere' must be HOST:PORT"],
  [["--temporal-task-queue="], "--temporal-task-queue '' must not be empty"],
  [[ON_TEMPORAL, "--temporal-namespace=shop"], `--temporal-namespace 'shop' ${ELSEWHERE}`],
  [[ON_TEMPORAL, "--temporal-tls"], `--temporal-tls ${ELSEWHERE}`],
];

for (const [args, message] of REFUSED) {
  Deno.test(`dev refuses ${args.join(" ")}: ${message}`, () => {
    assert.throws(() => readAllInOneConfig(args), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "USAGE"]);
      assert.equal(error.message, `${message}; see --help`);
      return true;
    });
  });
}

const TLS = ["--tls-cert=server.crt", "--tls-key=server.key"];
const ACCESS = "--access-file=access.yaml";
const LACKS_TLS = "TLS (--tls-cert and --tls-key)";
const LACKS_ACCESS = "authentication (--access-file)";

const EXPOSED: readonly (readonly [readonly string[], string | undefined])[] = [
  [[], `${LACKS_TLS} and ${LACKS_ACCESS}`],
  [TLS, LACKS_ACCESS],
  [[ACCESS], LACKS_TLS],
  [[...TLS, ACCESS], undefined],
];

for (const [flags, lacks] of EXPOSED) {
  for (const listen of ["--grpc-listen=0.0.0.0:50051", "--web-listen=[::]:8080"]) {
    const args = [listen, ...flags];
    Deno.test(`dev ${args.join(" ")} lacks ${lacks ?? "nothing"}`, () => {
      if (lacks === undefined) assert.equal(readAllInOneConfig(args)?.exposed, null);
      else {
        assert.throws(() => readAllInOneConfig(args), {
          message: /^--(?:grpc|web)-listen/,
        });
        assert.equal(readAllInOneConfig([...args, "--insecure"])?.exposed, lacks);
      }
    });
  }
}

Deno.test("loopback addresses need neither TLS nor authentication", () => {
  assert.equal(readAllInOneConfig(["--web-listen=[::1]:0"])?.exposed, null);
});

Deno.test("dev starts a Temporal of its own unless one is named", () => {
  assert.deepEqual(readAllInOneConfig([ON_TEMPORAL])?.temporal, {
    target: null,
    taskQueue: "mpc",
    payloadKey: null,
  });
});

Deno.test("dev uses the Temporal that its flags name, as a worker does", () => {
  const file = fileURLToPath(import.meta.url);
  const config = readAllInOneConfig([
    ON_TEMPORAL,
    "--temporal-address=temporal.example.com:7233",
    "--temporal-namespace=shop",
    "--temporal-task-queue=shop-queue",
    `--temporal-tls-ca=${file}`,
    `--payload-key-file=${file}`,
  ]);
  const text = Deno.readTextFileSync(file);
  assert.deepEqual(config?.temporal, {
    target: {
      address: "temporal.example.com:7233",
      namespace: "shop",
      apiKey: null,
      tls: { serverRootCa: text, client: null, serverName: null },
    },
    taskQueue: "shop-queue",
    payloadKey: text,
  });
});

Deno.test("the embedded engine does not mind settings of Temporal", () => {
  assert.equal(readAllInOneConfig(["--temporal-namespace=shop"])?.engine, "embedded");
});

Deno.test("the API calls workers on other machines by https, unless --insecure is given", () => {
  const remote = "--worker=http://worker.example.com:50052";
  assert.throws(() => readApiConfig([remote]), {
    message: /^--worker '.*' must be https:\/\/ for another machine/,
  });
  assert.equal(readApiConfig([remote, "--insecure"])?.workers[0]?.protocol, "http:");
  const tls = ["ca", "cert", "key"].map((name) => `--worker-tls-${name}=${name}.pem`);
  const config = readApiConfig(["--worker=https://worker.example.com:50052", ...tls]);
  assert.deepEqual(config?.workerTls, {
    caFile: "ca.pem",
    certFile: "cert.pem",
    keyFile: "key.pem",
  });
  assert.throws(() => readApiConfig(["--worker-tls-cert=cert.pem"]), {
    message: /must be given together with --worker-tls-cert and --worker-tls-key/,
  });
});
