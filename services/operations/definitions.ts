import type { OperationKind } from "@mpc/domain";
import type { Definition } from "./definition.ts";
import { environmentCreate } from "./environment_create.ts";
import { environmentDelete } from "./environment_delete.ts";
import { environmentUpdate } from "./environment_update.ts";
import { workloadDelete } from "./workload_delete.ts";
import { workloadDeploy } from "./workload_deploy.ts";

/** Every operation kind. To be listed here is all that a new kind needs to be run and tested. */
export const DEFINITIONS: Readonly<Record<OperationKind, Definition>> = {
  "environment.create": environmentCreate,
  "environment.update": environmentUpdate,
  "environment.delete": environmentDelete,
  "workload.deploy": workloadDeploy,
  "workload.delete": workloadDelete,
};
