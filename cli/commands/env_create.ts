import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Environment, EnvironmentSchema, EnvironmentService, QuotaSchema } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { environmentName, idOf } from "../names.ts";
import { ENVIRONMENT_VIEW } from "../output/views.ts";
import { readSpecFile } from "../spec_file.ts";

export interface EnvCreateFlags extends MutationFlags {
  readonly ttl?: number | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly annotation?: Record<string, string> | undefined;
  readonly maxWorkloads?: number | undefined;
  readonly maxCpu?: string | undefined;
  readonly maxMemory?: string | undefined;
  readonly protect?: boolean | undefined;
  readonly cluster?: string | undefined;
  readonly file?: string | undefined;
}

/** `mpctl env create` */
export async function run(
  context: CommandContext,
  environment: string,
  flags: EnvCreateFlags,
): Promise<number> {
  const base = flags.file
    ? await readSpecFile(context.host, EnvironmentSchema, flags.file)
    : create(EnvironmentSchema);
  const connection = await connect(context);
  try {
    const client = connection.client(EnvironmentService);
    const operation = await client.createEnvironment({
      environmentId: idOf(environment),
      environment: { ...base, ...environmentFields(flags) },
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: ENVIRONMENT_VIEW,
      read: () => client.getEnvironment({ name: environmentName(environment) }),
    });
  } finally {
    connection.close();
  }
}

/** The fields of an environment that flags set. */
export function environmentFields(
  flags: Omit<EnvCreateFlags, keyof MutationFlags>,
): Partial<Environment> {
  const { ttl, label, annotation, protect, cluster, maxWorkloads, maxCpu, maxMemory } = flags;
  const limited = maxWorkloads !== undefined || maxCpu !== undefined || maxMemory !== undefined;
  return {
    ...(ttl !== undefined && { ttl: durationFromMs(ttl) }),
    ...(label && { labels: label }),
    ...(annotation && { annotations: annotation }),
    ...(protect !== undefined && { deletionProtection: protect }),
    ...(cluster !== undefined && { cluster }),
    ...(limited && {
      quota: create(QuotaSchema, {
        workloads: maxWorkloads ?? 0,
        cpu: maxCpu ?? "",
        memory: maxMemory ?? "",
      }),
    }),
  };
}
