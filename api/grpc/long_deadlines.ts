import { BaseServerInterceptingCall } from "@grpc/grpc-js/server-interceptors";
import { afterDelay } from "@mpc/process";
import { deadlineExceeded, parseGrpcTimeout } from "../deadline.ts";
import { statusOf } from "./status.ts";

/** The private fields in which grpc-js keeps a call's deadline. */
interface DeadlineFields {
  sendStatus(status: ReturnType<typeof statusOf>): void;
  notifyOnCancel(): void;
  handleTimeoutHeader(value: unknown): void;
  getDeadline(): number | Date;
}

/**
 * Makes grpc-js take deadlines of any length: it keeps them in 32 bits, so a call with 25 days ends
 * at once, and one with 50 days after a while. Also measures them by the monotonic clock: grpc-js
 * keeps a moment of the wall clock, so a call would lose or gain what the clock is set. A header that
 * is no timeout is refused by grpc-js, also where it only contains one, such as `-1S`.
 */
export function takeLongDeadlines(): void {
  const calls = Reflect.get(BaseServerInterceptingCall, "prototype") as unknown as DeadlineFields;
  const { handleTimeoutHeader, notifyOnCancel, getDeadline } = calls;
  const cancels = new WeakMap<DeadlineFields, () => void>();
  /** By the monotonic clock. */
  const ends = new WeakMap<DeadlineFields, number>();
  calls.handleTimeoutHeader = function (value) {
    const timeoutMs = parseGrpcTimeout(String(value));
    if (timeoutMs === undefined) return handleTimeoutHeader.call(this, "");
    ends.set(this, performance.now() + timeoutMs);
    cancels.set(this, afterDelay(timeoutMs, () => this.sendStatus(statusOf(deadlineExceeded()))));
  };
  calls.getDeadline = function () {
    const end = ends.get(this);
    return end === undefined ? getDeadline.call(this) : Date.now() + end - performance.now();
  };
  calls.notifyOnCancel = function () {
    cancels.get(this)?.();
    notifyOnCancel.call(this);
  };
}
