/** The client of the API, for programs, mpctl and the dashboard. */
export type { CallSpan, CallTracer, Carrier } from "./call_tracer.ts";
export { connect, connectBy, type Connection } from "./connect.ts";
export {
  type ConnectOptions,
  type Credentials,
  isPrivate,
  REQUEST_TIMEOUT_MS,
} from "./connect_options.ts";
export {
  type CallFailure,
  type FailureOrigin,
  isNotFound,
  readFailure,
  unlessNotFound,
} from "./errors.ts";
export { followLogs, type LogRequest } from "./follow_logs.ts";
export { followOperation, waitForOperation } from "./follow_operation.ts";
export { pause } from "./pause.ts";
export type { ReconnectOptions, Timing } from "./reconnect.ts";
export { createTlsFetch, type TlsFiles } from "./tls_fetch.ts";
export { type AuditWatchRequest, watchAudit } from "./watch_audit.ts";
export { watchEvents, type WatchRequest, type WatchUpdate } from "./watch_events.ts";
