/** A caller's trace continues in the steps of its operation. */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { startAllInOne } from "@mpc/api";
import { EnvironmentService, OperationService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { recordSpans } from "../fakes/recorded_spans.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

const [traceId, spanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
const headers = { traceparent: `00-${traceId}-${spanId}-01` };

Deno.test("steps are spans of their caller's trace, at both doors", async () => {
  using recorded = recordSpans();
  const platform = await startAllInOne(QUIET_CONFIG);
  const { grpcAddress: grpc, webAddress: web } = platform;
  const grpcTransport = createGrpcTransport(new URL(`grpc://${grpc.host}:${grpc.port}`));
  try {
    const doors = {
      grpc: grpcTransport,
      web: createGrpcWebTransport({ baseUrl: `http://${web.host}:${web.port}` }),
    };
    for (const [environmentId, transport] of Object.entries(doors)) {
      const before = recorded.spans.length;
      const { name } = await createClient(EnvironmentService, transport)
        .createEnvironment({ environmentId, environment: {} }, { headers });
      await createClient(OperationService, transport).waitOperation({ name });
      const spans = recorded.spans.slice(before);
      assert.deepEqual(spans.map((span) => span.name), ["create_namespace", "apply_policies"]);
      for (const { parent, attributes } of spans) {
        assert.deepEqual([parent?.traceId, parent?.spanId], [traceId, spanId]);
        assert.equal(attributes?.["mpc.operation"], name);
      }
    }
  } finally {
    grpcTransport.close();
    await platform.close();
  }
});
