/** Names of resources in the API, from what the user typed. */
import { usageError } from "./errors/cli_error.ts";

/** `dev` or `environments/dev`. */
export function environmentName(typed: string): string {
  return typed.startsWith("environments/") ? typed : `environments/${typed}`;
}

/** `web` in the environment of `--env` or its default, or `environments/dev/workloads/web`. */
export function workloadName(
  typed: string,
  { environment }: { readonly environment: string },
): string {
  if (typed.startsWith("environments/")) return typed;
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
