/** The room of telemetry with decorators that measure nothing, for a platform to compare with. */
import type { Interceptor } from "../../../process/mod.ts";
import type {
  countAttempts as CountAttempts,
  countAuthentications as CountAuthentications,
  meteredStore as MeteredStore,
} from "../../../telemetry/mod.ts";

export * from "../../../telemetry/mod.ts";

const PASS_ON: Interceptor = { around: (call, next) => next(call) };

export const measureCalls = (): Interceptor => PASS_ON;
export const countRefusals = (): Interceptor => PASS_ON;
export const countAttempts: typeof CountAttempts = () => () => {};
export const countAuthentications: typeof CountAuthentications = (_, authenticate) => authenticate;
export const meteredStore: typeof MeteredStore = (store) => store;
