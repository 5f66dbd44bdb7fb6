import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService } from "@mpc/proto";
import { fuzzDoor } from "./fuzz_door.ts";
import { fuzzedBytes } from "./fuzz_frames.ts";
import { fuzzedHttp1 } from "./fuzz_http1.ts";
import { withTarget } from "./target.ts";

/** Fuzzes the web door of a server that is started for it, by HTTP/1.1 and HTTP/2. */
export async function fuzzWebDoor(connections: number, seed: number): Promise<void> {
  await withTarget(async (target) => {
    const { web, process } = target.platform;
    const transport = createGrpcWebTransport({ baseUrl: web.origin });
    const { getEnvironment } = createClient(EnvironmentService, transport);
    const result = await fuzzDoor(
      process,
      {
        hostname: web.hostname,
        port: Number(web.port),
        connections,
        seed,
        bytesOf: (random) => random.chance(0.7) ? fuzzedHttp1(random) : fuzzedBytes(random),
      },
      async () => {
        const { name } = await getEnvironment({ name: "environments/dev" }, { timeoutMs: 5_000 });
        assert.equal(name, "environments/dev");
      },
    );
    console.log(`web door, seed ${seed}: ${JSON.stringify(result)}`);
    assert.ok(result.answered > connections / 10, "a part of the connections stayed valid");
    assert.ok(result.closed > connections / 10, "a part of the mutations was refused");
    await target.assertWell();
  });
}
