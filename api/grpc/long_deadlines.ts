import { BaseServerInterceptingCall } from "@grpc/grpc-js/server-interceptors";
import { afterDelay, deadlineExceeded, parseGrpcTimeout } from "../deadline.ts";
import { statusOf } from "./status.ts";

/** The private fields in which grpc-js keeps a call's deadline. */
interface DeadlineFields {
  deadline: number;
  sendStatus(status: ReturnType<typeof statusOf>): void;
  notifyOnCancel(): void;
  handleTimeoutHeader(value: unknown): void;
}

/**
 * Makes grpc-js accept deadlines of any length. It uses 32 bits, so a call with 25 days would end
 * at once, and one with 50 days after a while. Invalid timeouts are left to grpc-js.
 */
export function takeLongDeadlines(): void {
  const calls = Reflect.get(BaseServerInterceptingCall, "prototype") as unknown as DeadlineFields;
  const { handleTimeoutHeader, notifyOnCancel } = calls;
  const cancels = new WeakMap<DeadlineFields, () => void>();
  calls.handleTimeoutHeader = function (value) {
    const timeoutMs = parseGrpcTimeout(String(value));
    if (timeoutMs === undefined) return handleTimeoutHeader.call(this, value);
    this.deadline = Date.now() + timeoutMs;
    cancels.set(this, afterDelay(timeoutMs, () => this.sendStatus(statusOf(deadlineExceeded()))));
  };
  calls.notifyOnCancel = function () {
    cancels.get(this)?.();
    notifyOnCancel.call(this);
  };
}
