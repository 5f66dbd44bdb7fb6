/** The platform's use cases and the ports that they need. */
export { advanceMark, AuditChain } from "./audit/audit_chain.ts";
export {
  auditedAuthorizer,
  type AuditedCall,
  auditedStore,
  runAudited,
} from "./audit/audited_call.ts";
export { type Audit, RefusalLog } from "./audit/refusal_log.ts";
export { listAudit, verifyAuditLog, watchAudit } from "./audit/read_audit.ts";
export { requestedChanges } from "./audit/requested_changes.ts";
export { assertEngine, takeOverOperations } from "./operations/assert_engines.ts";
export type { Stored } from "@mpc/storage";
export { type Caller, systemCaller, type SystemPart, systemPrincipal } from "./caller.ts";
export { allowEverything } from "./allow_everything.ts";
export { METHOD_NAMES, type MethodNeed, needOf } from "./access/methods.ts";
export {
  isPermission,
  isScoped,
  type ListPermission,
  type Permission,
  permissionOf,
  PERMISSIONS,
} from "./access/permissions.ts";
export { checkAccess, listAccess } from "./access/read_access.ts";
export type { ServiceDeps } from "./deps.ts";
export { rememberingAuthorizer, RepeatedDecisions } from "./access/repeated_decisions.ts";
export type * from "./ports/mod.ts";
export type { MutationOptions, MutationResult } from "./mutations/mutate.ts";
export { claimCluster } from "./clusters/claim_cluster.ts";
export { claimedElsewhere } from "./clusters/claimed_elsewhere.ts";
export { cancelOperation } from "./operations/cancel_operation.ts";
export { createEnvironment } from "./environments/create_environment.ts";
export {
  deleteEnvironment,
  type DeleteEnvironmentRequest,
} from "./environments/delete_environment.ts";
export { deleteWorkload, type DeleteWorkloadRequest } from "./workloads/delete_workload.ts";
export { deployWorkload } from "./workloads/deploy_workload.ts";
export { diagnose } from "./diagnostics/diagnose.ts";
export { describeDrift } from "./diagnostics/describe_drift.ts";
export type { Finding } from "./diagnostics/findings.ts";
export { explainOperation } from "./operations/explain_operation.ts";
export { getEnvironment, listEnvironments } from "./environments/read_environments.ts";
export { getOperation, listOperations } from "./operations/read_operations.ts";
export { getRevision } from "./workloads/get_revision.ts";
export { getWorkload, listWorkloads } from "./workloads/read_workloads.ts";
export { ADMISSION_GRACE_MS, dropUnadmitted, isAdmitted } from "./mutations/admission.ts";
export { listClusterEvents, listPods, streamLogs } from "./workloads/read_from_cluster.ts";
export { listRevisions } from "./workloads/list_revisions.ts";
export { assertName } from "./resources/preconditions.ts";
export { reconcileWorkload } from "./workloads/reconcile_workload.ts";
export * from "./resources/resource_events.ts";
export { restartWorkload } from "./workloads/restart_workload.ts";
export { retryOperation } from "./operations/retry_operation.ts";
export { rollbackWorkload } from "./workloads/rollback_workload.ts";
export { LOOK_AGAIN_MS, sleepUntil } from "./sleep_until.ts";
export { scaleWorkload } from "./workloads/scale_workload.ts";
export { sleepUnlessAborted } from "./sleep_unless_aborted.ts";
export { pagesOf } from "./resources/read_all.ts";
export { isApplied } from "./resources/is_applied.ts";
export { updateDocument } from "./resources/update_document.ts";
export {
  type Leftover,
  type Leftovers,
  listLeftovers,
  requestSweep,
  type Sweep,
  sweepObjects,
} from "./diagnostics/sweep_objects.ts";
export { isUnreadable } from "./diagnostics/cluster_findings.ts";
export { createToken } from "./tokens/create_token.ts";
export { listTokens } from "./tokens/list_tokens.ts";
export { revokeToken } from "./tokens/revoke_token.ts";
export { SECRET_PREFIX } from "./tokens/secret.ts";
export type { SignIn, SignInIssuer } from "./tokens/sign_in.ts";
export { StaticTokens } from "./tokens/static_tokens.ts";
export {
  listDeadLetters,
  listEventSinks,
  resendDeadLetters,
  type SinkStatus,
} from "./events/event_sinks.ts";
export { updateEnvironment } from "./environments/update_environment.ts";
export { waitOperation } from "./operations/wait_operation.ts";
export { type WatchedEvent, watchEvents } from "./events/watch_events.ts";
export { watchOperation } from "./operations/watch_operation.ts";
