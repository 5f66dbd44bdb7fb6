import type { ServiceImpl } from "@connectrpc/connect";
import { invalidArgument, isMpcError } from "@mpc/domain";
import { callerOf } from "@mpc/process";
import { EnvironmentService, ListEnvironmentsResponseSchema } from "@mpc/proto";
import {
  assertName,
  type Caller,
  createEnvironment,
  deleteEnvironment,
  getEnvironment,
  listEnvironments,
  type ServiceDeps,
  updateEnvironment,
} from "@mpc/services";
import { create } from "@bufbuild/protobuf";
import {
  fromEnvironment,
  fromEnvironmentUpdate,
  toEnvironment,
} from "./mapping/environment_mapping.ts";
import { toMutationAnswer } from "./mapping/operation_mapping.ts";
import { fromDuration } from "./mapping/values.ts";

/** The environment methods of the API. */
export function environmentService(deps: ServiceDeps): ServiceImpl<typeof EnvironmentService> {
  return {
    async createEnvironment(request, context) {
      const environment = fromEnvironment(request.environment);
      return toMutationAnswer(
        await createEnvironment(deps, callerOf(context), { ...request, environment }),
      );
    },
    async getEnvironment({ name }, context) {
      return toEnvironment(await getEnvironment(deps, callerOf(context), name));
    },
    async listEnvironments(request, context) {
      const { items, nextPageToken } = await listEnvironments(deps, callerOf(context), request);
      const environments = items.map(toEnvironment);
      return create(ListEnvironmentsResponseSchema, { environments, nextPageToken });
    },
    async updateEnvironment(request, context) {
      const { environment, updateMask } = request;
      if (!environment) throw missing("update environment", "environment");
      assertName("environment", environment.name, "update environment", "environment.name");
      const paths = updateMask?.paths ?? [];
      const { change, unknown } = fromEnvironmentUpdate(environment, paths);
      if (unknown.length > 0) throw unknownPaths(unknown);
      const { name, etag } = environment;
      const caller = callerOf(context);
      if (request.allowMissing && !await exists(deps, caller, name)) {
        const creation = fromEnvironment(environment);
        const environmentId = name.slice("environments/".length);
        return toMutationAnswer(
          await createEnvironment(deps, caller, {
            ...request,
            environmentId,
            environment: creation,
          }),
        );
      }
      return toMutationAnswer(
        await updateEnvironment(deps, caller, { ...request, name, etag, change }),
      );
    },
    async deleteEnvironment(request, context) {
      const timeoutMs = fromDuration(request.timeout);
      return toMutationAnswer(
        await deleteEnvironment(deps, callerOf(context), { ...request, timeoutMs }),
      );
    },
  };
}

/** Whether the environment exists, if the caller may read it. */
async function exists(deps: ServiceDeps, caller: Caller, name: string): Promise<boolean> {
  try {
    await getEnvironment(deps, caller, name);
    return true;
  } catch (error) {
    if (isMpcError(error, "NOT_FOUND")) return false;
    throw error;
  }
}

/** The error for a required message that is not set. */
export function missing(action: string, field: string) {
  return invalidArgument(action, [{ field, value: "", rule: "REQUIRED", hint: "must be set" }]);
}

function unknownPaths(paths: readonly string[]) {
  return invalidArgument(
    "update environment",
    paths.map((path) => ({
      field: "update_mask",
      value: path.slice(0, 100),
      rule: "UPDATE_MASK",
      hint: "must name labels, annotations, quota, ttl, expire_time or deletion_protection",
    })),
  );
}
