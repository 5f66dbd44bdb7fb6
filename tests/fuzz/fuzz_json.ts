import assert from "node:assert/strict";
import type { DescMethod } from "@bufbuild/protobuf";
import fc from "fast-check";
import { arbitraryJson } from "./arbitrary_json.ts";
import { attackInBatches } from "./attack_in_batches.ts";
import { METHODS } from "./methods.ts";
import { withTarget } from "./target.ts";

/** Streams and waits without an end are left after this time. */
const DEADLINE_MS = 150;

/** A call that is not answered by then hangs, however busy the machine is. */
const ANSWER_MS = 60_000;

const HEAD_BYTES = 5;
const END_OF_STREAM = 2;

const FORBIDDEN = /^(internal|unknown|data_loss)$/;
const OWN_END = /^(deadline_exceeded|canceled)$/;

interface Told {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly type: string }[];
}

/**
 * Sends almost valid JSON to every method, with Connect's protocol. Every request gets a response
 * or a proper error, the server survives, and its memory stays constant.
 */
export function fuzzJson(cases: number, seed: number): Promise<void> {
  return withTarget(async (target) => {
    const codes = new Map<string, number>();
    const call = fc.oneof(
      ...METHODS.map((method) =>
        fc.record({ method: fc.constant(method), json: arbitraryJson(method.input, target.names) })
      ),
    );
    await attackInBatches(target, {
      call,
      cases,
      seed,
      async make({ method, json }) {
        const told = await send(target.platform.web.origin, method, json);
        const code = assertPlanned(method, json, told);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      },
    });
    const share = (codes.get("ok") ?? 0) / cases;
    assert.ok(
      share > 0.05,
      `${share} of the requests were answered, wanted more than 0.05: requests that all stop at ` +
        `the first check test nothing behind it`,
    );
    await target.assertWell();
  });
}

/** @returns the error that the server sent; empty if there was none */
async function send(origin: string, method: DescMethod, json: string): Promise<Told> {
  const unary = method.methodKind === "unary";
  const bytes = new TextEncoder().encode(json);
  const abort = new AbortController();
  const response = await fetch(`${origin}/${method.parent.typeName}/${method.name}`, {
    method: "POST",
    headers: {
      "content-type": unary ? "application/json" : "application/connect+json",
      "connect-timeout-ms": String(DEADLINE_MS),
    },
    body: unary ? bytes : enveloped(bytes),
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  const body = new Uint8Array(await response.arrayBuffer());
  if (!unary && response.ok) return endOf(body);
  const told = new TextDecoder().decode(body);
  if (response.ok) return {};
  assert.ok(
    response.headers.get("content-type")?.startsWith("application/json"),
    `an error is told as JSON, so that clients can read its code: ${response.status} ${told}`,
  );
  return JSON.parse(told);
}

function enveloped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(body.buffer).setUint32(1, bytes.length);
  body.set(bytes, HEAD_BYTES);
  return body;
}

/** The error in the last envelope of a stream, which says how the stream ended. */
function endOf(body: Uint8Array): Told {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + HEAD_BYTES <= body.length;) {
    const end = at + HEAD_BYTES + view.getUint32(at + 1);
    if (body[at] === END_OF_STREAM) {
      const text = new TextDecoder().decode(body.subarray(at + HEAD_BYTES, end));
      return JSON.parse(text).error ?? {};
    }
    at = end;
  }
  return assert.fail("a stream ends with an envelope that says how, else it looks cut off");
}

/** @returns the code; `ok` if there was no error */
function assertPlanned(method: DescMethod, json: string, told: Told): string {
  const { code, message = "", details = [] } = told;
  if (code === undefined) return "ok";
  const what = `${method.name} of ${json}: ${code} ${message}`;
  assert.doesNotMatch(code, FORBIDDEN, `a caller's JSON is never the server's fault: ${what}`);
  if (OWN_END.test(code)) return code;
  const infos = details.filter(({ type }) => type === "google.rpc.ErrorInfo");
  assert.equal(infos.length, 1, `programs act on the one ErrorInfo of an error: ${what}`);
  return code;
}
