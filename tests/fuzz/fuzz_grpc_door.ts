import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { fuzzDoor } from "./fuzz_door.ts";
import { withTarget } from "./target.ts";

/** Fuzzes the gRPC door of a fresh server, frame by frame. */
export async function fuzzGrpcDoor(connections: number, seed: number): Promise<void> {
  await withTarget(async (target) => {
    const { grpc, process } = target.platform;
    const transport = createGrpcTransport(grpc);
    const { getEnvironment } = createClient(EnvironmentService, transport);
    const result = await fuzzDoor(
      process,
      { hostname: grpc.hostname, port: Number(grpc.port), connections, seed },
      async () => {
        const { name } = await getEnvironment({ name: "environments/dev" }, { timeoutMs: 5_000 });
        assert.equal(name, "environments/dev");
      },
    );
    transport.close();
    console.log(`gRPC door, seed ${seed}: ${JSON.stringify(result)}`);
    assert.ok(result.answered > connections / 10, "many connections stayed valid");
    assert.ok(result.closed > connections / 10, "many mutations were rejected");
    await target.assertWell();
  });
}
