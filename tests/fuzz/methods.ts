import type { DescMethod } from "@bufbuild/protobuf";
import {
  AuditService,
  DiagnosticsService,
  EnvironmentService,
  EventService,
  LongRunningOperations,
  OperationService,
  WorkloadService,
} from "@mpc/proto";

/** Every method of the API; all of them are attacked. */
export const METHODS: readonly DescMethod[] = [
  EnvironmentService,
  WorkloadService,
  OperationService,
  LongRunningOperations,
  EventService,
  DiagnosticsService,
  AuditService,
].flatMap(({ methods }) => methods);
