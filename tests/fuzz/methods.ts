import type { DescMethod } from "@bufbuild/protobuf";
import {
  AccessService,
  AuditService,
  DiagnosticsService,
  EnvironmentService,
  EventService,
  EventSinkService,
  LongRunningOperations,
  OperationService,
  TokenService,
  WorkloadService,
} from "@mpc/proto";

/** Every method of the API; all of them are attacked. */
export const METHODS: readonly DescMethod[] = [
  EnvironmentService,
  WorkloadService,
  OperationService,
  LongRunningOperations,
  EventService,
  EventSinkService,
  DiagnosticsService,
  AccessService,
  AuditService,
  TokenService,
].flatMap(({ methods }) => methods);
