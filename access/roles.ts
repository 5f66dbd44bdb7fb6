import { type Permission, PERMISSIONS } from "@mpc/services";

const VIEWER = ["environments.get", "workloads.get", "operations.get"] as const;

/** The roles that every access file may use. Logs may hold secrets, so viewers do not see them. */
export const BUILT_IN_ROLES: Readonly<Record<string, readonly Permission[]>> = {
  viewer: VIEWER,
  deployer: [
    ...VIEWER,
    "workloads.logs",
    "workloads.deploy",
    "workloads.scale",
    "workloads.restart",
    "workloads.rollback",
    "workloads.reconcile",
    "workloads.delete",
    "operations.cancel",
    "operations.retry",
  ],
  auditor: [
    ...VIEWER,
    "platform.diagnose",
    "tokens.get",
    "eventSinks.get",
    "audit.get",
    "access.check",
  ],
  admin: PERMISSIONS,
};

export const ADMIN = "admin";
