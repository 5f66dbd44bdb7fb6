import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MpcError } from "@mpc/domain";
import { readAllInOneConfig } from "./config.ts";

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
