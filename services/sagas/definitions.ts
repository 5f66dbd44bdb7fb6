import type { OperationKind } from "@mpc/domain";
import type { Definition, ResourceDefinition } from "./definition.ts";
import { environmentAbandon } from "./environment_abandon.ts";
import { environmentCreate } from "./environment_create.ts";
import { environmentDelete } from "./environment_delete.ts";
import { environmentUpdate } from "./environment_update.ts";
import { platformClaim } from "./platform_claim.ts";
import { platformSweep } from "./platform_sweep.ts";
import { workloadAbandon } from "./workload_abandon.ts";
import { workloadDelete } from "./workload_delete.ts";
import { workloadDeploy } from "./workload_deploy.ts";

/** Every operation kind. Engines run them all, and the fault suite fails each one in every way. */
export const DEFINITIONS: Readonly<Record<OperationKind, Definition>> = {
  "environment.create": environmentCreate,
  "environment.update": environmentUpdate,
  "environment.delete": environmentDelete,
  "environment.abandon": environmentAbandon,
  "workload.deploy": workloadDeploy,
  "workload.delete": workloadDelete,
  "workload.abandon": workloadAbandon,
  "platform.sweep": platformSweep,
  "platform.claim": platformClaim,
};

/** The definition of a kind; undefined for a kind that is about no resource. */
export function resourceDefinition(kind: OperationKind): ResourceDefinition | undefined {
  const definition = DEFINITIONS[kind];
  return definition.resource === null ? undefined : definition;
}
