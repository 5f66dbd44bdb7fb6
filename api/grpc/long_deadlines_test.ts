import assert from "node:assert/strict";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/server-interceptors";
import { takeLongDeadlines } from "./long_deadlines.ts";

interface Call {
  handleTimeoutHeader(value: unknown): void;
  getDeadline(): number;
  notifyOnCancel(): void;
  readonly cancelNotified: boolean;
}

takeLongDeadlines();

for (const stepMs of [-30_000, 1_200_000]) {
  Deno.test(`a gRPC deadline is as far away after the wall clock was set by ${stepMs} ms`, () => {
    const call: Call = Object.create(BaseServerInterceptingCall.prototype, {
      cancelNotified: { value: true },
    });
    const { now } = Date;
    call.handleTimeoutHeader("10S");
    Date.now = () => now() + stepMs;
    try {
      const leftMs = call.getDeadline() - Date.now();
      assert.ok(leftMs > 5_000 && leftMs <= 10_001, `${leftMs} ms are left of 10 s`);
    } finally {
      Date.now = now;
      call.notifyOnCancel();
    }
  });
}
