/** What each RPC needs: the one table, which servers, tests and docs read. */
import type { Permission } from "./permissions.ts";

export interface MethodNeed {
  /**
   * `public` takes calls without credentials, `authenticated` those of every known caller;
   * otherwise the permission that the caller needs.
   */
  readonly needs: "public" | "authenticated" | Permission;
  /**
   * Where the permission must hold: in the environment of the resource that the request names,
   * for the whole platform, or (of lists and watches) anywhere, for what is shown.
   */
  readonly where: "resource" | "platform" | "list" | "nowhere";
  /** What else is needed, and when; for the docs. */
  readonly also?: string;
}

const open = { needs: "public", where: "nowhere" } as const;
const known = { needs: "authenticated", where: "nowhere" } as const;
const on = (needs: Permission, also?: string): MethodNeed => ({
  needs,
  where: "resource",
  ...(also && { also }),
});
const list = (needs: Permission): MethodNeed => ({ needs, where: "list" });
const platform = (needs: Permission): MethodNeed => ({ needs, where: "platform" });

const OTHERS = "`access.check` to ask about another principal";
const KIND = "what requesting the operation takes, for instance `workloads.scale`";

const METHODS: Readonly<Record<string, MethodNeed>> = {
  "mpc.v1.EnvironmentService/CreateEnvironment": on("environments.create"),
  "mpc.v1.EnvironmentService/GetEnvironment": on("environments.get"),
  "mpc.v1.EnvironmentService/ListEnvironments": list("environments.get"),
  "mpc.v1.EnvironmentService/UpdateEnvironment": on(
    "environments.update",
    "`environments.create` where `allow_missing` creates the environment",
  ),
  "mpc.v1.EnvironmentService/DeleteEnvironment": on("environments.delete"),

  "mpc.v1.WorkloadService/DeployWorkload": on("workloads.deploy"),
  "mpc.v1.WorkloadService/GetWorkload": on("workloads.get"),
  "mpc.v1.WorkloadService/ListWorkloads": list("workloads.get"),
  "mpc.v1.WorkloadService/ScaleWorkload": on("workloads.scale"),
  "mpc.v1.WorkloadService/RestartWorkload": on("workloads.restart"),
  "mpc.v1.WorkloadService/RollbackWorkload": on("workloads.rollback"),
  "mpc.v1.WorkloadService/ReconcileWorkload": on("workloads.reconcile"),
  "mpc.v1.WorkloadService/DeleteWorkload": on("workloads.delete"),
  "mpc.v1.WorkloadService/ListRevisions": on("workloads.get"),
  "mpc.v1.WorkloadService/GetRevision": on("workloads.get"),
  "mpc.v1.WorkloadService/StreamLogs": on("workloads.logs"),
  "mpc.v1.WorkloadService/ListPods": list("workloads.get"),
  "mpc.v1.WorkloadService/ListClusterEvents": list("workloads.get"),

  "mpc.v1.OperationService/GetOperation": on("operations.get"),
  "mpc.v1.OperationService/ListOperations": list("operations.get"),
  "mpc.v1.OperationService/WaitOperation": on("operations.get"),
  "mpc.v1.OperationService/WatchOperation": on("operations.get"),
  "mpc.v1.OperationService/ExplainOperation": on("operations.get"),
  "mpc.v1.OperationService/CancelOperation": on("operations.cancel", KIND),
  "mpc.v1.OperationService/RetryOperation": on("operations.retry", KIND),

  "google.longrunning.Operations/GetOperation": on("operations.get"),
  "google.longrunning.Operations/ListOperations": list("operations.get"),
  "google.longrunning.Operations/WaitOperation": on("operations.get"),
  "google.longrunning.Operations/CancelOperation": on("operations.cancel", KIND),
  // Refused to everybody: operations are kept.
  "google.longrunning.Operations/DeleteOperation": known,

  "mpc.v1.EventService/WatchEvents": {
    ...list("environments.get"),
    also: "`workloads.get` and `operations.get`, unless `kinds` leaves them out",
  },

  "mpc.v1.DiagnosticsService/Diagnose": platform("platform.diagnose"),
  "mpc.v1.DiagnosticsService/SweepObjects": platform("platform.sweep"),
  "mpc.v1.DiagnosticsService/ClaimCluster": platform("platform.claim"),
  "mpc.v1.DiagnosticsService/GetActivity": platform("platform.diagnose"),
  "mpc.v1.DiagnosticsService/GetServerInfo": open,

  "mpc.v1.EventSinkService/ListEventSinks": platform("eventSinks.get"),
  "mpc.v1.EventSinkService/ListDeadLetters": platform("eventSinks.get"),
  "mpc.v1.EventSinkService/ResendDeadLetters": platform("eventSinks.resend"),

  "mpc.v1.AuditService/ListAuditRecords": platform("audit.get"),
  "mpc.v1.AuditService/WatchAuditRecords": platform("audit.get"),
  "mpc.v1.AuditService/VerifyAuditRecords": platform("audit.get"),

  "mpc.v1.AccessService/WhoAmI": known,
  "mpc.v1.AccessService/CheckAccess": { ...known, also: OTHERS },
  "mpc.v1.AccessService/ListAccess": { ...known, also: OTHERS },

  "mpc.v1.TokenService/GetSignIn": open,
  "mpc.v1.TokenService/CreateToken": platform("tokens.create"),
  "mpc.v1.TokenService/ListTokens": platform("tokens.get"),
  "mpc.v1.TokenService/RevokeToken": {
    ...platform("tokens.revoke"),
    also: "nothing to revoke the token that the call uses, or one that the caller has created",
  },

  // They describe the server and no resource; clients need them before they can log in.
  "grpc.health.v1.Health/Check": open,
  "grpc.health.v1.Health/List": open,
  "grpc.health.v1.Health/Watch": open,
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": open,
  "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": open,
};

/** The names of all RPCs of the table, as `PACKAGE.SERVICE/METHOD`. */
export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

/** What an RPC needs; undefined for one that the table does not have, which is always refused. */
export const needOf = (service: string, method: string): MethodNeed | undefined => {
  const name = `${service}/${method}`;
  return Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
};
