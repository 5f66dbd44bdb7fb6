/** How every kind of resource is shown: its message's type, and its columns. */
import { EnvironmentSchema, OperationSchema, RevisionSchema, WorkloadSchema } from "@mpc/proto";
import {
  ENVIRONMENT_COLUMNS,
  OPERATION_COLUMNS,
  REVISION_COLUMNS,
  WORKLOAD_COLUMNS,
} from "./columns.ts";
import type { View } from "./print.ts";

export const ENVIRONMENT_VIEW: View<typeof EnvironmentSchema> = {
  schema: EnvironmentSchema,
  columns: ENVIRONMENT_COLUMNS,
};

export const WORKLOAD_VIEW: View<typeof WorkloadSchema> = {
  schema: WorkloadSchema,
  columns: WORKLOAD_COLUMNS,
};

export const REVISION_VIEW: View<typeof RevisionSchema> = {
  schema: RevisionSchema,
  columns: REVISION_COLUMNS,
};

export const OPERATION_VIEW: View<typeof OperationSchema> = {
  schema: OperationSchema,
  columns: OPERATION_COLUMNS,
};
