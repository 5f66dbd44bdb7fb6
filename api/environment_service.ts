import type { ServiceImpl } from "@connectrpc/connect";
import { invalidArgument } from "@mpc/domain";
import { callerOf } from "@mpc/process";
import { EnvironmentSchema, EnvironmentService, ListEnvironmentsResponseSchema } from "@mpc/proto";
import {
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
import { readMask } from "./mapping/read_mask.ts";
import { fromDuration } from "./mapping/values.ts";

/** The environment methods of the API. */
export function environmentService(deps: ServiceDeps): ServiceImpl<typeof EnvironmentService> {
  return {
    async createEnvironment(request, context) {
      const environment = fromEnvironment(request.environment);
      return toMutationAnswer(
        await createEnvironment(deps, callerOf(context), {
          ...request,
          environment,
          etag: request.environment?.etag ?? "",
        }),
      );
    },
    async getEnvironment({ name }, context) {
      return toEnvironment(await getEnvironment(deps, callerOf(context), name));
    },
    async listEnvironments(request, context) {
      const mask = readMask(EnvironmentSchema, request.readMask, "list environments");
      const { items, nextPageToken } = await listEnvironments(deps, callerOf(context), request);
      const environments = items.map((item) => mask(toEnvironment(item)));
      return create(ListEnvironmentsResponseSchema, { environments, nextPageToken });
    },
    async updateEnvironment(request, context) {
      const { environment, updateMask } = request;
      if (!environment) throw missing("update environment", "environment");
      const { name, etag } = environment;
      return toMutationAnswer(
        await updateEnvironment(deps, callerOf(context), {
          ...request,
          ...fromEnvironmentUpdate(environment, updateMask?.paths ?? []),
          name,
          etag,
          ...(request.allowMissing && { creation: fromEnvironment(environment) }),
        }),
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

/** The error for a required message that is not set. */
export function missing(action: string, field: string) {
  return invalidArgument(action, [{ field, value: "", rule: "REQUIRED", hint: "must be set" }]);
}
