/** Names of resources in the API, from what the user typed. */
import { usageError } from "./errors/cli_error.ts";

/** `dev` or `environments/dev`. */
export function environmentName(typed: string): string {
  return typed.startsWith("environments/") ? typed : `environments/${typed}`;
}

/**
 * `web` in the environment of `--env` or its default, or `environments/dev/workloads/web`.
 * @throws {CliError} usage, without an environment, or if `--env` names another one
 */
export function workloadName(
  typed: string,
  { environment, typedEnvironment }: {
    readonly environment: string;
    /** The value of `--env`, which must not contradict a full name; the default may. */
    readonly typedEnvironment?: string | undefined;
  },
): string {
  if (typed.startsWith("environments/")) {
    const other = typedEnvironment !== undefined && environmentName(typedEnvironment);
    if (!other || typed.startsWith(`${other}/`)) return typed;
    throw usageError(`Cannot use '${typed}' with --env ${typedEnvironment}: it is in another one`);
  }
  if (environment === "") {
    throw usageError(
      `Cannot find workload '${typed}' without its environment: add --env ENVIRONMENT`,
      "'mpctl config set environment ENVIRONMENT' makes one the default",
    );
  }
  return `${environmentName(environment)}/workloads/${typed}`;
}

/** The last id of a name. */
export const idOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The id of the environment in a workload's name. */
export const environmentIdOf = (name: string): string => name.split("/")[1] ?? "";
