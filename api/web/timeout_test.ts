import assert from "node:assert/strict";
import { grpcTimeoutMs, wrongTimeout } from "./timeout.ts";

Deno.test("grpcTimeoutMs() reads every unit of gRPC's header", async (t) => {
  const rows: readonly [value: string, ms: number | undefined][] = [
    ["2H", 7_200_000],
    ["1M", 60_000],
    ["3S", 3_000],
    ["150m", 150],
    ["500u", 0.5],
    ["99999999n", 99.999999],
    ["1", undefined],
    ["123456789S", undefined],
  ];
  for (const [value, ms] of rows) {
    await t.step(
      value,
      () => assert.equal(grpcTimeoutMs(new Headers({ "grpc-timeout": value })), ms),
    );
  }
});

Deno.test("wrongTimeout() names the header that is no duration of its protocol", async (t) => {
  const rows: readonly [headers: Record<string, string>, wrong: string | undefined][] = [
    [{}, undefined],
    [{ "grpc-timeout": "100m", "connect-timeout-ms": "100" }, undefined],
    [{ "grpc-timeout": "-1S" }, "grpc-timeout"],
    [{ "grpc-timeout": "" }, "grpc-timeout"],
    [{ "connect-timeout-ms": "1.5" }, "connect-timeout-ms"],
    [{ "connect-timeout-ms": "12345678901" }, "connect-timeout-ms"],
  ];
  for (const [headers, wrong] of rows) {
    await t.step(
      JSON.stringify(headers),
      () => assert.equal(wrongTimeout(new Headers(headers)), wrong),
    );
  }
});
