import { fuzzGrpcDoor } from "./fuzz_grpc_door.ts";
import { fuzzWebDoor } from "./fuzz_web_door.ts";

const CONNECTIONS = 20_000;
const SEED = 20_261_130;

Deno.test({
  name: `${CONNECTIONS} mutated HTTP/2 connections neither end the gRPC door nor delay its calls`,
  // Connections that grpc-js keeps after a client is closed do not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) => t.step(`seed ${SEED}`, () => fuzzGrpcDoor(CONNECTIONS, SEED)).then(() => {}),
});

Deno.test({
  name: `${CONNECTIONS} mutated connections neither end the web door nor delay its calls`,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) => t.step(`seed ${SEED}`, () => fuzzWebDoor(CONNECTIONS, SEED)).then(() => {}),
});
