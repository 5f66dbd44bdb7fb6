import { idOf, operationName } from "@mpc/domain";

/** Between the installation's id and the operation's, both UUIDs. */
const SEPARATOR = "/";

/**
 * The id of an operation's workflow: `<installation>/<operation>`, so that control planes that share
 * a namespace never meet.
 */
export const workflowIdOf = (installation: string, operation: string): string =>
  `${installation}${SEPARATOR}${idOf(operation)}`;

/** The name of a task queue or a deployment in Temporal, which control planes do not share. */
export const withInstallation = (name: string, installation: string): string =>
  `${name}-${installation}`;

/** The name that {@linkcode withInstallation} was given. */
export const withoutInstallation = (name: string, installation: string): string =>
  name.endsWith(`-${installation}`) ? name.slice(0, -installation.length - 1) : name;

/** The name of the operation that a workflow of this id carries out. */
export const operationOf = (workflowId: string): string =>
  operationName(workflowId.slice(workflowId.lastIndexOf(SEPARATOR) + 1));
