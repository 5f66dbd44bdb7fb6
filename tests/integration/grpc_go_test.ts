/**
 * The gRPC door as grpc-go meets it, which sends a PING for the answers that it gets. The budget of
 * PINGs itself is in `tests/fuzz/ping_budget_test.ts`.
 */
import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { startAllInOne } from "@mpc/api";
import { formatAddress } from "@mpc/process";
import { CreateEnvironmentRequestSchema } from "@mpc/proto";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { goProgram } from "../servers/go_tool.ts";

/** Calls, and about as many PINGs: 30 times the budget of a client that gets no answers. */
const CALLS = 3_000;
/** A field that the request does not have, which the server skips. */
const PAYLOAD = new Uint8Array([0xfa, 0x07, 0x80, 0x20, ...new Uint8Array(4_096)]);

Deno.test("grpc-go keeps its connection over 3,000 calls, and reads what is refused", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  try {
    const refused = create(CreateEnvironmentRequestSchema, {
      environmentId: "x".repeat(10_000),
      environment: {
        labels: Object.fromEntries(
          Array.from({ length: 40 }, (_, n) => [`Bad name ${"-".repeat(100)} ${n}`, "x"]),
        ),
      },
    });
    const program = new URL("../servers/grpc_go_client/", import.meta.url);
    const { success, stdout, stderr } = await new Deno.Command(await goProgram(program), {
      args: [
        formatAddress(platform.grpcAddress),
        String(CALLS),
        PAYLOAD.toBase64(),
        toBinary(CreateEnvironmentRequestSchema, refused).toBase64(),
      ],
    }).output();
    const text = new TextDecoder();
    assert.ok(success, text.decode(stderr));
    const { callsPerSecond, ...report } = JSON.parse(text.decode(stdout));
    assert.deepEqual(report, {
      watch: "open",
      refused: "InvalidArgument",
      // ErrorInfo, ErrorAdvice and BadRequest.
      details: 3,
      failures: [],
      connections: 1,
    });
    // A busy machine makes fewer: the connection must live at any rate.
    console.log(`${Math.round(callsPerSecond)} calls a second on one connection`);
  } finally {
    await platform.close();
  }
});
