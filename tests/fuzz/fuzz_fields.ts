import assert from "node:assert/strict";
import type { DescMethod, DescMethodStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "@mpc/proto";
import fc from "fast-check";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { arbitraryMessage } from "./arbitrary_message.ts";
import { attackInBatches } from "./attack_in_batches.ts";
import { METHODS } from "./methods.ts";
import { withTarget } from "./target.ts";

/** Streams and waits that nothing ends are left after so long. */
const DEADLINE_MS = 150;

/** Never an answer: they say that nobody planned for the request. */
const FORBIDDEN: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

/** Ends of a call that are the caller's own doing. */
const OWN_END: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.Canceled]);

/**
 * Sends random requests to every method, at both doors: every one is answered or refused by a code
 * that somebody planned, the server lives, and its memory stays flat.
 */
export function fuzzFields(cases: number, seed: number): Promise<void> {
  return withTarget(async (target) => {
    const grpc = createGrpcTransport(target.platform.grpc);
    const web = createGrpcWebTransport({ baseUrl: target.platform.web.origin });
    const call = fc.oneof(...METHODS.map((method) =>
      fc.record({
        method: fc.constant(method),
        transport: fc.constantFrom(grpc, web),
        request: arbitraryMessage(method.input, target.names),
      })
    ));
    await attackInBatches(target, { call, cases, seed, make: callOnce });
    await target.assertWell();
    grpc.close();
  });
}

interface Call {
  readonly method: DescMethod;
  readonly transport: Transport;
  readonly request: Record<string, unknown>;
}

async function callOnce({ method, transport, request }: Call): Promise<void> {
  try {
    if (isUnary(method)) {
      await transport.unary(method, undefined, DEADLINE_MS, undefined, request);
      return;
    }
    const streaming = method as DescMethodStreaming;
    const input = (async function* () {
      yield await Promise.resolve(request);
    })();
    const stream = await transport.stream(streaming, undefined, DEADLINE_MS, undefined, input);
    let seen = 0;
    for await (const _ of stream.message) if (++seen === 3) return;
  } catch (thrown) {
    assertPlanned(method, ConnectError.from(thrown));
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function assertPlanned(method: DescMethod, error: ConnectError): void {
  const told = `${method.name}: ${error.message}`;
  if (OWN_END.has(error.code)) return;
  assert.ok(!FORBIDDEN.has(error.code), `nobody planned for this request: ${told}`);
  const infos = error.findDetails(ErrorInfoSchema);
  assert.equal(infos.length, 1, `an error has exactly one ErrorInfo: ${told}`);
  assert.match(infos[0]?.reason ?? "", /^[A-Z][A-Z0-9_]+$/, `programs act on the reason: ${told}`);
}
