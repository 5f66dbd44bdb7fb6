/**
 * Requests that the document shows, by path. `tests/api/openapi_test.ts` sends them to a server, in this
 * order, with names of operations that exist.
 */
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { MpcError } from "@mpc/domain";
import { toApiError } from "../../api/error_codes.ts";
import type { Schema } from "./schemas.ts";

const ENVIRONMENT = "environments/shop";
const WORKLOAD = `${ENVIRONMENT}/workloads/web`;
export const OPERATION = "operations/00000000-0000-4000-8000-000000000000";

export const EXAMPLES: Readonly<Record<string, Schema>> = {
  "/mpc.v1.EnvironmentService/CreateEnvironment": {
    environmentId: "shop",
    environment: { labels: { team: "web" }, quota: { workloads: 10, cpu: "4", memory: "8Gi" } },
    requestId: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  },
  "/mpc.v1.EnvironmentService/UpdateEnvironment": {
    environment: { name: ENVIRONMENT, annotations: { owner: "ann" } },
    updateMask: "annotations",
  },
  "/mpc.v1.EnvironmentService/GetEnvironment": { name: ENVIRONMENT },
  "/mpc.v1.EnvironmentService/ListEnvironments": { filter: "labels.team = web", pageSize: 10 },
  "/mpc.v1.WorkloadService/DeployWorkload": {
    parent: ENVIRONMENT,
    workloadId: "web",
    workload: {
      spec: {
        image: "nginx:1.27",
        replicas: 2,
        ports: [{ port: 80 }],
        resources: { cpu: "250m", memory: "256Mi" },
        healthCheck: { path: "/", port: 80, period: "5s" },
      },
    },
  },
  "/mpc.v1.WorkloadService/ScaleWorkload": { name: WORKLOAD, replicas: 3 },
  "/mpc.v1.WorkloadService/RestartWorkload": { name: WORKLOAD },
  "/mpc.v1.WorkloadService/RollbackWorkload": { name: WORKLOAD, revision: 1 },
  "/mpc.v1.WorkloadService/ReconcileWorkload": { name: WORKLOAD },
  "/mpc.v1.WorkloadService/GetWorkload": { name: WORKLOAD },
  "/mpc.v1.WorkloadService/ListWorkloads": { parent: "environments/-" },
  "/mpc.v1.WorkloadService/ListPods": { parent: WORKLOAD },
  "/mpc.v1.WorkloadService/ListClusterEvents": { parent: WORKLOAD },
  "/mpc.v1.WorkloadService/ListRevisions": { parent: WORKLOAD },
  "/mpc.v1.OperationService/GetOperation": { name: OPERATION },
  "/mpc.v1.OperationService/ListOperations": { filter: "state = SUCCEEDED" },
  "/mpc.v1.OperationService/WaitOperation": { name: OPERATION, timeout: "30s" },
  "/mpc.v1.OperationService/ExplainOperation": { name: OPERATION },
  "/google.longrunning.Operations/GetOperation": { name: OPERATION },
  "/google.longrunning.Operations/ListOperations": { name: "operations", pageSize: 10 },
  "/google.longrunning.Operations/WaitOperation": { name: OPERATION, timeout: "30s" },
  "/mpc.v1.AuditService/ListAuditRecords": {
    filter: 'result = PERMISSION_DENIED AND actor = "user:ann@example.com"',
    pageSize: 10,
  },
  "/mpc.v1.AuditService/VerifyAuditRecords": {},
  "/mpc.v1.DiagnosticsService/Diagnose": {},
  "/mpc.v1.DiagnosticsService/SweepObjects": { validateOnly: true },
  "/mpc.v1.DiagnosticsService/ClaimCluster": { cluster: "default", validateOnly: true },
  "/mpc.v1.DiagnosticsService/GetServerInfo": {},
  "/mpc.v1.AccessService/WhoAmI": {},
  "/mpc.v1.AccessService/CheckAccess": {
    permission: "workloads.deploy",
    resource: "environments/dev",
  },
  "/mpc.v1.AccessService/ListAccess": {},
  "/mpc.v1.TokenService/GetSignIn": {},
  "/mpc.v1.TokenService/CreateToken": {
    tokenId: "ci",
    token: { displayName: "Deployments by CI", groups: ["deployers"], ttl: "2592000s" },
  },
  "/mpc.v1.TokenService/ListTokens": { filter: 'creator = "user:ann@example.com"' },
  "/mpc.v1.TokenService/RevokeToken": { name: "tokens/ci" },
  "/mpc.v1.EventSinkService/ListEventSinks": { filter: "state = RETRYING" },
  "/mpc.v1.EventSinkService/ListDeadLetters": { parent: "eventSinks/chat" },
  "/mpc.v1.EventSinkService/ResendDeadLetters": { parent: "eventSinks/chat" },
  "/grpc.health.v1.Health/Check": { service: "mpc.v1.EnvironmentService" },
  "/grpc.health.v1.Health/List": {},
  "/mpc.v1.WorkloadService/DeleteWorkload": { name: WORKLOAD },
  "/mpc.v1.EnvironmentService/DeleteEnvironment": { name: ENVIRONMENT },
};

/** What GetEnvironment answers where there is no such environment. */
export const ERROR_EXAMPLE = errorToJson(
  toApiError(
    new MpcError("NOT_FOUND", {
      reason: "ENVIRONMENT_NOT_FOUND",
      message: "Cannot get environment 'none': there is no environment 'environments/none'",
      metadata: { resource: "environments/none" },
    }),
  ),
  undefined,
);
