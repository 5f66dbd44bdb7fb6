import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MpcError } from "@mpc/domain";
import { readWorkerConfig } from "./config.ts";

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["--build-id=1"], "--deployment and --build-id must be given together"],
  [["--deployment=mpc"], "--deployment 'mpc' and --build-id must be given together"],
  [["--temporal-address=nowhere"], "--temporal-address 'nowhere' must be HOST:PORT"],
  [["--concurrency=0"], "--concurrency '0' must be a whole number, 1 to 1000"],
  [
    ["--retention=1y"],
    "--retention '1y' must be hours, days or weeks such as 12h, 90d or 4w, or forever",
  ],
  [
    ["--retention=0d"],
    "--retention '0d' must be hours, days or weeks such as 12h, 90d or 4w, or forever",
  ],
  [["--temporal-task-queue="], "--temporal-task-queue '' must not be empty"],
  [
    ["--internal-listen=0.0.0.0:50052"],
    "--internal-listen '0.0.0.0:50052' needs --internal-tls-cert, --internal-tls-key and " +
    "--internal-tls-client-ca, because other machines can reach it; --insecure allows it all the same",
  ],
  [
    ["--internal-tls-cert=worker.crt", "--internal-tls-key=worker.key"],
    "--internal-tls-cert 'worker.crt' must be given together with --internal-tls-key and " +
    "--internal-tls-client-ca",
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`a worker refuses ${args.join(" ")}: ${message}`, () => {
    assert.throws(() => readWorkerConfig(args), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "USAGE"]);
      assert.equal(error.message, `${message}; see --help`);
      return true;
    });
  });
}

Deno.test("history is kept for 90 days by default, for the given time, or forever", () => {
  const keepMs = (...args: string[]) => readWorkerConfig(args)?.keepMs;
  const day = 24 * 3_600_000;
  assert.equal(keepMs(), 90 * day);
  assert.equal(keepMs("--retention=2w"), 14 * day);
  assert.equal(keepMs("--retention=forever"), null);
});

Deno.test("a TLS file turns TLS on; without TLS settings it is off", () => {
  assert.equal(readWorkerConfig([])?.temporal.target.tls, null);
  const { tls } = readWorkerConfig(["--temporal-tls"])!.temporal.target;
  assert.deepEqual(tls, { serverRootCa: null, client: null, serverName: null });
  const file = fileURLToPath(import.meta.url);
  const withCa = readWorkerConfig([`--temporal-tls-ca=${file}`])!.temporal.target.tls;
  assert.match(withCa?.serverRootCa ?? "", /^import assert/);
});

Deno.test("the internal service is reached from elsewhere by TLS with certificates of both sides", () => {
  const listen = "--internal-listen=0.0.0.0:50052";
  const tls = ["cert", "key", "client-ca"].map((name) => `--internal-tls-${name}=${name}.pem`);
  assert.deepEqual(readWorkerConfig([listen, ...tls])?.internalTls, {
    certFile: "cert.pem",
    keyFile: "key.pem",
    clientCaFile: "client-ca.pem",
    flagPrefix: "internal-",
  });
  assert.equal(readWorkerConfig([listen, "--insecure"])?.internalTls, null);
});

Deno.test("health is served on any address, and metrics to other machines only where asked for", () => {
  const config = readWorkerConfig(["--health-listen=0.0.0.0:8081"]);
  assert.deepEqual(config?.healthListen, { host: "0.0.0.0", port: 8081 });
  assert.equal(config?.publicMetrics, false);
  assert.equal(readWorkerConfig(["--public-metrics"])?.publicMetrics, true);
});
