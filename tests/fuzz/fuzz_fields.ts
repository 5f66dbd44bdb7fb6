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

/** Streams and waits without an end are left after this time. */
const DEADLINE_MS = 150;

/** Every other call is answered by then, however busy the machine is. */
const ANSWER_MS = 60_000;

/** A wait may take as long as its caller requests. */
const WAITS = "WaitOperation";

/** If all requests stopped at the first check, the test would not reach the code after it. */
const LEAST_SHARE_ANSWERED = 0.05;

/** Codes that are never a valid response: they mean that the request was not handled. */
const FORBIDDEN: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

/** Ends of a call that the caller causes. */
const OWN_END: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.Canceled]);

/**
 * Sends random requests to every method, at both doors. Every request gets a response or a proper
 * error, the server survives, and its memory stays constant.
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
    let answered = 0;
    await attackInBatches(target, {
      call,
      cases,
      seed,
      async make(call) {
        if (await callOnce(call)) answered++;
      },
    });
    const share = answered / cases;
    assert.ok(
      share > LEAST_SHARE_ANSWERED,
      `${share} of the requests succeeded, wanted more than ${LEAST_SHARE_ANSWERED}`,
    );
    await target.assertWell();
    grpc.close();
  });
}

interface Call {
  readonly method: DescMethod;
  readonly transport: Transport;
  readonly request: Record<string, unknown>;
}

/** @returns whether it succeeded; for a stream, whether it sent something before it was left */
async function callOnce({ method, transport, request }: Call): Promise<boolean> {
  const mayWait = !isUnary(method) || method.name === WAITS;
  let seen = 0;
  try {
    if (isUnary(method)) {
      const deadlineMs = mayWait ? DEADLINE_MS : ANSWER_MS;
      await transport.unary(method, undefined, deadlineMs, undefined, request);
      return true;
    }
    const streaming = method as DescMethodStreaming;
    const input = (async function* () {
      yield await Promise.resolve(request);
    })();
    const stream = await transport.stream(streaming, undefined, DEADLINE_MS, undefined, input);
    for await (const _ of stream.message) if (++seen === 3) return true;
  } catch (thrown) {
    assertPlanned(method, ConnectError.from(thrown), mayWait);
  }
  return seen > 0;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function assertPlanned(method: DescMethod, error: ConnectError, mayWait: boolean): void {
  const told = `${method.name}: ${error.message}`;
  if (mayWait && OWN_END.has(error.code)) return;
  assert.ok(!OWN_END.has(error.code), `a call that does not wait is answered: ${told}`);
  assert.ok(!FORBIDDEN.has(error.code), `nobody planned for this request: ${told}`);
  const infos = error.findDetails(ErrorInfoSchema);
  assert.equal(infos.length, 1, `an error has exactly one ErrorInfo: ${told}`);
  assert.match(infos[0]?.reason ?? "", /^[A-Z][A-Z0-9_]+$/, `programs act on the reason: ${told}`);
}
