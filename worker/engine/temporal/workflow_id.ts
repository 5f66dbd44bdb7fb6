import { idOf, operationName } from "@mpc/domain";

/** Between the installation's id and the operation's, both UUIDs. */
const SEPARATOR = "/";

/**
 * The id of an operation's workflow: `<installation>/<operation>`, so that control planes that share
 * a namespace never meet.
 */
export const workflowIdOf = (installation: string, operation: string): string =>
  `${installation}${SEPARATOR}${idOf(operation)}`;

/** The name of the operation that a workflow of this id carries out. */
export const operationOf = (workflowId: string): string =>
  operationName(workflowId.slice(workflowId.lastIndexOf(SEPARATOR) + 1));
