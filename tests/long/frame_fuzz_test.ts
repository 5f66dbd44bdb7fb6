import { fuzzGrpcDoor } from "../fuzz/fuzz_grpc_door.ts";
import { fuzzWebDoor } from "../fuzz/fuzz_web_door.ts";

const CONNECTIONS = 500_000;

Deno.test({
  name: `${CONNECTIONS} mutated HTTP/2 connections neither end the gRPC door nor delay its calls`,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    await t.step(`seed ${seed}`, () => fuzzGrpcDoor(CONNECTIONS, seed));
  },
});

Deno.test({
  name: `${CONNECTIONS} mutated connections neither end the web door nor delay its calls`,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    await t.step(`seed ${seed}`, () => fuzzWebDoor(CONNECTIONS, seed));
  },
});
