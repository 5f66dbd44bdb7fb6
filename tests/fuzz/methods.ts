import type { DescMethod } from "@bufbuild/protobuf";
import {
  AccessService,
  DiagnosticsService,
  EnvironmentService,
  EventService,
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
  DiagnosticsService,
  AccessService,
  TokenService,
].flatMap(({ methods }) => methods);
