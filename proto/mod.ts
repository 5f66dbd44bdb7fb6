/** Messages and services of `mpc.v1`, generated from `proto/mpc` by `deno task gen`. */
export * from "./gen/mpc/v1/access_pb.ts";
export * from "./gen/mpc/v1/audit_pb.ts";
export * from "./gen/mpc/v1/common_pb.ts";
export * from "./gen/mpc/v1/diagnostics_pb.ts";
export * from "./gen/mpc/v1/environment_pb.ts";
export * from "./gen/mpc/v1/event_pb.ts";
export * from "./gen/mpc/v1/event_sink_pb.ts";
export * from "./gen/mpc/v1/operation_pb.ts";
export * from "./gen/mpc/v1/token_pb.ts";
export * from "./gen/mpc/v1/workload_pb.ts";
export {
  ListOperationsResponseSchema as LongRunningOperationsPageSchema,
  type Operation as LongRunningOperation,
  Operations as LongRunningOperations,
  OperationSchema as LongRunningOperationSchema,
} from "./gen/google/longrunning/operations_pb.ts";
export {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
export { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";
export { Health, HealthCheckResponse_ServingStatus } from "./gen/grpc/health/v1/health_pb.ts";
export {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "./gen/grpc/reflection/v1/reflection_pb.ts";
export {
  ServerReflection as ServerReflectionV1Alpha,
} from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
