import assert from "node:assert/strict";
import type { ErrorCode } from "@mpc/domain";
import { type KubeStatus, statusError } from "./status_error.ts";

const asked = { action: "apply 'Deployment/dev/web'", cluster: "east", namespace: "dev" };

/** Responses of Kubernetes 1.34 API servers, shortened. */
const CASES: readonly (readonly [string, KubeStatus, ErrorCode, string, boolean, RegExp])[] = [
  [
    "fields of another manager",
    {
      code: 409,
      reason: "Conflict",
      message: 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1',
      details: {
        causes: [{
          reason: "FieldManagerConflict",
          message: 'conflict with "kubectl-edit" using apps/v1',
          field: ".spec.replicas",
        }],
      },
    },
    "ABORTED",
    "FIELD_CONFLICT",
    false,
    /'kubectl-edit' manages spec\.replicas$/,
  ],
  [
    "a concurrent write",
    { code: 409, reason: "Conflict", message: "the object has been modified" },
    "ABORTED",
    "CLUSTER_CONFLICT",
    true,
    /has been modified/,
  ],
  [
    "a missing permission",
    {
      code: 403,
      reason: "Forbidden",
      message:
        'deployments.apps "web" is forbidden: User "ann" cannot patch resource "deployments" in API group "apps" in the namespace "dev"',
    },
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
    false,
    /'ann' may not patch deployments\.apps in namespace 'dev' of cluster 'east'/,
  ],
  [
    "a missing permission to list",
    {
      code: 403,
      message:
        'pods is forbidden: User "ann" cannot list resource "pods" in API group "" at the cluster scope',
    },
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
    false,
    /'ann' may not list pods in all namespaces/,
  ],
  [
    "a missing namespace",
    { code: 404, message: 'namespaces "dev" not found', details: { kind: "namespaces" } },
    "FAILED_PRECONDITION",
    "NO_NAMESPACE",
    false,
    /namespace 'dev' is not there/,
  ],
  [
    "a namespace that is being deleted",
    {
      code: 403,
      message: "unable to create new content in namespace dev because it is being terminated",
      details: { causes: [{ reason: "NamespaceTerminating" }] },
    },
    "FAILED_PRECONDITION",
    "NO_NAMESPACE",
    false,
    /namespace 'dev' is being deleted/,
  ],
  [
    "an unknown kind",
    { code: 404, message: "the server could not find the requested resource", details: {} },
    "FAILED_PRECONDITION",
    "KIND_UNKNOWN",
    false,
    /has no such kind/,
  ],
  [
    "a quota",
    {
      code: 403,
      message:
        'deployments.apps "web" is forbidden: exceeded quota: quota, requested: count/deployments.apps=1, used: count/deployments.apps=2, limited: count/deployments.apps=2',
    },
    "RESOURCE_EXHAUSTED",
    "QUOTA_EXCEEDED",
    false,
    /quota 'quota' forbids it: requested: count\/deployments\.apps=1/,
  ],
  [
    "a webhook that denies",
    {
      code: 400,
      message: 'admission webhook "images.example.com" denied the request: not from our registry',
    },
    "FAILED_PRECONDITION",
    "ADMISSION_DENIED",
    false,
    /'images\.example\.com' denies it: not from our registry/,
  ],
  [
    "a webhook that does not answer",
    { code: 500, message: 'Internal error: failed calling webhook "images.example.com": timeout' },
    "UNAVAILABLE",
    "ADMISSION_UNREACHABLE",
    true,
    /'images\.example\.com' does not answer/,
  ],
  [
    "pod security",
    {
      code: 403,
      message: 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged',
    },
    "FAILED_PRECONDITION",
    "ADMISSION_DENIED",
    false,
    /'PodSecurity' denies it: restricted:latest: privileged/,
  ],
  [
    "an immutable field",
    {
      code: 422,
      reason: "Invalid",
      message: "Deployment.apps web is invalid",
      details: {
        causes: [{
          reason: "FieldValueInvalid",
          field: "spec.selector",
          message: 'Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
        }],
      },
    },
    "FAILED_PRECONDITION",
    "IMMUTABLE_FIELD",
    false,
    /spec\.selector cannot be changed .* deploy it again/,
  ],
  [
    "an invalid value, which is not repeated",
    {
      code: 422,
      reason: "Invalid",
      message: "invalid",
      details: {
        causes: [{ field: "spec.x", message: 'Invalid value: "hunter2": must be a number' }],
      },
    },
    "INVALID_ARGUMENT",
    "OBJECT_INVALID",
    false,
    /spec\.x: Invalid value: must be a number/,
  ],
  [
    "an unknown field",
    {
      code: 500,
      message: "failed to create typed patch object (dev/web): .dat: field not declared in schema",
    },
    "INVALID_ARGUMENT",
    "OBJECT_INVALID",
    false,
    /\.dat: field not declared/,
  ],
  [
    "rejected credentials",
    { code: 401, reason: "Unauthorized", message: "Unauthorized" },
    "UNAUTHENTICATED",
    "CLUSTER_CREDENTIALS",
    false,
    /refuses the kubeconfig's credentials/,
  ],
  [
    "an expired version",
    { code: 410, reason: "Expired", message: "too old resource version: 1 (2)" },
    "OUT_OF_RANGE",
    "WATCH_EXPIRED",
    false,
    /no longer has the version/,
  ],
  [
    "an overloaded server",
    { code: 429, message: "Too many requests" },
    "UNAVAILABLE",
    "CLUSTER_UNREACHABLE",
    true,
    /is overloaded/,
  ],
  [
    "a store that does not answer",
    { code: 500, message: "etcdserver: request timed out" },
    "UNAVAILABLE",
    "CLUSTER_UNREACHABLE",
    true,
    /'east' answered 500/,
  ],
  [
    "a failure inside the server",
    { code: 500, reason: "InternalError", message: "a conversion failed" },
    "UNAVAILABLE",
    "CLUSTER_FAILED",
    true,
    /'east' answered 500 InternalError: a conversion failed/,
  ],
  [
    "a failing server",
    { code: 503, message: "apiserver is shutting down" },
    "UNAVAILABLE",
    "CLUSTER_UNREACHABLE",
    true,
    /'east' answered 503/,
  ],
];

Deno.test("statusError() translates the failures of an API server", async (t) => {
  for (const [name, status, code, reason, retryable, message] of CASES) {
    await t.step(name, () => {
      const error = statusError(status, asked);
      assert.deepEqual([error.code, error.reason, error.retryable], [code, reason, retryable]);
      assert.match(error.message, /^Cannot apply 'Deployment\/dev\/web': /);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
    });
  }
});

Deno.test("statusError() has the missing verb and resource as metadata", () => {
  const [, status] = CASES.find(([name]) => name === "a missing permission")!;
  assert.deepEqual(statusError(status, asked).metadata, {
    user: "ann",
    verb: "patch",
    resource: "deployments.apps",
    namespace: "dev",
  });
});
