import type { Operation, OperationKind } from "@mpc/domain";

/** Every permission: what it is about, and what it allows. */
export const PERMISSIONS = [
  "environments.create",
  "environments.get",
  "environments.update",
  "environments.delete",
  "workloads.deploy",
  "workloads.get",
  "workloads.logs",
  "workloads.scale",
  "workloads.restart",
  "workloads.rollback",
  "workloads.reconcile",
  "workloads.delete",
  "operations.get",
  "operations.cancel",
  "operations.retry",
  "platform.diagnose",
  "platform.sweep",
  "platform.claim",
  "tokens.create",
  "tokens.get",
  "tokens.revoke",
  "eventSinks.get",
  "eventSinks.resend",
  "audit.get",
  "access.check",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** The permissions of lists and watches; each concerns documents of one kind. */
export type ListPermission = "environments.get" | "workloads.get" | "operations.get";

export const isPermission = (text: string): text is Permission =>
  PERMISSIONS.some((permission) => permission === text);

/** Nouns whose permissions are about one environment; the others are about the whole platform. */
const IN_ENVIRONMENTS = ["environments", "workloads", "operations"];

/** Whether a permission can be limited to some environments. */
export const isScoped = (permission: Permission): boolean =>
  IN_ENVIRONMENTS.includes(permission.split(".", 1)[0] ?? "");

const OF_KINDS: Readonly<Record<OperationKind, Permission>> = {
  "environment.create": "environments.create",
  "environment.update": "environments.update",
  "environment.delete": "environments.delete",
  "environment.abandon": "environments.delete",
  "workload.deploy": "workloads.deploy",
  "workload.delete": "workloads.delete",
  "workload.abandon": "workloads.delete",
  "platform.sweep": "platform.sweep",
  "platform.claim": "platform.claim",
};

/** Permissions of the verbs that deploy, as the input of their operations names them. */
const OF_VERBS: Readonly<Record<string, Permission>> = {
  scale: "workloads.scale",
  restart: "workloads.restart",
  rollback: "workloads.rollback",
  reconcile: "workloads.reconcile",
};

/** What a caller must be allowed in order to cancel or retry an operation: what requesting it takes. */
export function permissionOf({ kind, input }: Pick<Operation, "kind" | "input">): Permission {
  const verb = kind === "workload.deploy" ? input["verb"] : undefined;
  return (typeof verb === "string" && Object.hasOwn(OF_VERBS, verb) && OF_VERBS[verb]) ||
    OF_KINDS[kind];
}
