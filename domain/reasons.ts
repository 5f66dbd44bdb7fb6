/** The codes and reasons of errors: one catalogue, which types, `explain`, mpctl and the docs read. */

/** The canonical codes a caller may act on; a subset of gRPC's (google.rpc.Code). */
export const ERROR_CODES = [
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "RESOURCE_EXHAUSTED",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNIMPLEMENTED",
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "DATA_LOSS",
  "INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * Who must act before it can end well: `caller` asks for something else, `platform` are the
 * operators of the control plane, `cluster` those of the Kubernetes cluster, `nobody` just waits.
 */
export type Responsible = "nobody" | "caller" | "platform" | "cluster";

/** What the catalogue says about a reason. */
export interface Advice {
  readonly responsible: Responsible;
  /** What to do next: one sentence without a period. */
  readonly nextStep: string;
  /**
   * The command that does it, where one is known. `{environment}`, `{workload}` and `{operation}` stand for
   * ids;
   * words in capitals are the caller's to replace. Empty for none.
   */
  readonly command: string;
}

type Entry = (nextStep: string, command?: string) => Advice;

const says = (responsible: Responsible): Entry => (nextStep, command = "") => ({
  responsible,
  nextStep,
  command,
});
const caller = says("caller");
const platform = says("platform");
const cluster = says("cluster");
const nobody = says("nobody");

const REPORT = "Report a bug of the platform, with the id of the operation or of the error";
const OTHER_STORE = "Restore the data directory from a backup, or choose another one";

/** Every reason of an error, by its code. */
export const REASONS = {
  INVALID_ARGUMENT: {
    ACCESS_FILE_INVALID: platform("Correct the access file at the line that the error names"),
    CHART_VALUES_INVALID: caller("Correct the values that the chart's schema refuses"),
    CLUSTERS_FILE_INVALID: platform("Correct the clusters file and start the process again"),
    ENCRYPTION_KEY_INVALID: platform(
      "Give the process a key as 'openssl rand -base64 32' makes it",
    ),
    EVENT_SINKS_FILE_INVALID: platform(
      "Correct the file of event sinks at the line that the error names",
    ),
    INVALID_FIELDS: caller("Correct the fields that the error names"),
    INVALID_FILTER: caller("Correct the filter at the character that the error names"),
    INVALID_TIMEOUT: caller("Send the timeout as the protocol defines it"),
    NO_CALL: caller("Send the request as gRPC-Web, Connect or JSON define it"),
    OBJECT_INVALID: caller("Correct the field that the cluster refuses"),
    PAYLOAD_KEY_INVALID: platform("Give the worker a key as 'openssl rand -base64 32' makes it"),
    REQUEST_ID_REUSED: caller("Send another request id, or the first request unchanged"),
    DOCUMENT_TOO_LARGE: caller("Send less: shorten values, or split the resource"),
    STORE_ADDRESS_INVALID: platform("Correct the address of the store; see --help"),
    UNKNOWN_KIND: platform("Run workers and API in the same version"),
    NOTHING_TO_SWEEP: caller("List the leftovers first, and name those to remove"),
    UNEXPECTED_COMPRESSION: caller("Name the message's compression in the header of its protocol"),
    UNREADABLE_MESSAGE: caller("Send the message as the method's proto defines it"),
    USAGE: platform("Correct the flags; see --help"),
  },
  NOT_FOUND: {
    EVENT_SINK_NOT_FOUND: caller("Name a sink that the list has", "mpctl sink list"),
    DEAD_LETTER_NOT_FOUND: caller(
      "Name a dead letter that the list has",
      "mpctl sink dead-letters SINK",
    ),
    CHART_NOT_FOUND: caller("Name a chart and a version that the server has"),
    ENVIRONMENT_NOT_FOUND: caller(
      "Check the environment's name, or create it",
      "mpctl env create {environment}",
    ),
    NOT_ON_CLUSTER: caller("Check the name; a workload that was never deployed has no objects"),
    NO_SUCH_DOCUMENT: caller("Read the resource again; somebody has deleted it meanwhile"),
    OPERATION_NOT_FOUND: caller("Check the id with 'mpctl op list'; old operations are removed"),
    REVISION_NOT_FOUND: caller("Choose a revision that 'mpctl workload history' lists"),
    SERVICE_NOT_FOUND: caller("Name a service that reflection lists"),
    TOKEN_NOT_FOUND: caller("Check the name; a revoked token is gone", "mpctl token list"),
    WORKLOAD_NOT_FOUND: caller("Check the workload's name and its environment"),
  },
  ALREADY_EXISTS: {
    ENVIRONMENT_EXISTS: caller("Choose another name, or change it with 'mpctl env update'"),
    NAME_TAKEN: caller("Choose another name"),
    OWNED_BY_ANOTHER: cluster("Remove or rename the object on the cluster, or choose another name"),
    REQUEST_ID_TAKEN: caller("Send another request id"),
    TOKEN_EXISTS: caller("Choose another name, or revoke the token first"),
  },
  FAILED_PRECONDITION: {
    ADMISSION_DENIED: caller("Change the workload so that the cluster's policy allows it"),
    CANNOT_LISTEN: platform("Choose an address of this machine that the process may use"),
    CERTIFICATE_EXPIRED: platform(
      "Put a new certificate into the files of --tls-cert and --tls-key",
    ),
    CERTIFICATE_UNUSABLE: platform("Correct the file that the error names"),
    CHARTS_UNSUPPORTED: caller("Name an image in place of a chart, or use a cluster with charts"),
    CHART_FAILED: caller("Correct the chart or its values, as Helm's message says"),
    CHART_HOOK_REFUSED: caller("Switch the hook off by the chart's values"),
    CHART_KIND_REFUSED: caller("Switch the object off by the chart's values"),
    CHART_NAMESPACE_REFUSED: caller("Let the chart use the namespace of its release"),
    CHART_OUTPUT_INVALID: caller("Correct the chart, so that it renders Kubernetes objects"),
    CHART_TOO_LARGE: caller("Split the chart, or render fewer objects by its values"),
    CLUSTER_NOT_PERMITTED: cluster(
      "Start the process with the permission to reach the cluster",
      "deno task dev:cluster",
    ),
    CLUSTER_NOT_TRUSTED: cluster("Put the cluster's certificate authority into the kubeconfig"),
    CONTAINER_NOT_STARTED: caller(
      "Correct what keeps the container from starting and deploy again",
    ),
    CRASH_LOOP: caller("Read the program's last output, correct it and deploy again"),
    DELETION_PROTECTED: caller("Take the deletion protection off first"),
    ENGINE_HOUSEKEEPING: platform("Let the periodic task run that the error names"),
    ENGINE_IN_USE: platform(
      "Stop the other process with the embedded engine, or use Temporal for several processes",
    ),
    ENGINE_NAMESPACE: platform("Create the namespace in Temporal"),
    ENGINE_NO_BUILD: platform("Start a worker of the build that the error names"),
    ENGINE_NO_WORKER: platform("Start a worker, or make its build the current one in Temporal"),
    ENGINE_PAUSED: platform("Continue in Temporal what somebody has paused there"),
    ENGINE_SEARCH_ATTRIBUTES: platform("Add the search attributes to the namespace in Temporal"),
    ENGINE_TLS: platform(
      "Correct the TLS settings of the connection to Temporal",
      "deno task worker --help",
    ),
    ENGINE_WORKFLOW_FAILS: platform(
      "Start a worker with the code that began the workflow, or start the workflow over",
    ),
    ENVIRONMENT_NOT_EMPTY: caller(
      "See with 'mpctl workload list' what is in it, then delete that or use --force",
    ),
    ENVIRONMENT_NOT_READY: caller(
      "Wait until the environment is READY, or repair it",
      "mpctl env get {environment}",
    ),
    CLUSTER_CLAIMED_ELSEWHERE: platform(
      "Stop the other copy of the database, then claim the cluster for this one",
      "mpctl doctor --claim CLUSTER",
    ),
    EXPIRE_TIME_PASSED: caller("Give the environment a later expiry and ask again"),
    HELM_MISSING: platform("Install Helm 3 on the worker's machine, or configure its path"),
    IMAGE_PULL_FAILED: caller("Check the image's name and tag, and who may pull it"),
    IMMUTABLE_FIELD: caller("Delete the workload and deploy it again"),
    JOB_FAILED: caller("Read the Job's last output, correct it and deploy again"),
    KIND_UNKNOWN: cluster("Install the definition of the kind on the cluster"),
    KUBECONFIG_UNUSABLE: cluster("Correct the kubeconfig that the worker uses"),
    LEASE_LOST: platform("Nothing; the process that has the lease makes the pass"),
    NOT_RETRYABLE: caller("Start a new operation; only a failed one can be retried"),
    NO_EARLIER_REVISION: caller("Deploy the workload with the image that is wanted"),
    NO_ENGINE: platform(
      "Start the server with the engine that the operation runs on, or with --take-over",
    ),
    NO_NAMESPACE: caller(
      "Make the environment's namespace again by the command, then retry the operation",
      "mpctl env update {environment}",
    ),
    NO_TEMPORAL: platform("Install Temporal's CLI, or give --temporal-address"),
    NO_WORKFLOW_BUNDLE: platform("Build the workflows", "deno task bundle:workflows"),
    OOM_KILLED: caller(
      "Give the workload more memory",
      "mpctl workload deploy {workload} --env {environment} --memory MEMORY",
    ),
    OPERATION_ENDED: caller("Nothing is left to cancel; look at its result with 'mpctl op get'"),
    ENCRYPTION_KEY_MISSING: platform(
      "Start with --encryption-key-file and the key that the message names",
    ),
    ENCRYPTION_KEY_WRONG: platform(
      "Add the key that the message names to the key file, on a line after the first",
    ),
    PAYLOAD_KEY: platform("Give this worker the key that encrypted the payload"),
    PORT_IN_USE: platform("Choose another port, or stop the process that uses this one"),
    PROGRESS_DEADLINE_EXCEEDED: caller("See what the replicas wait for with 'mpctl workload pods'"),
    ROLLOUT_PAUSED: caller("Resume the deployment that the message names, and deploy again"),
    SIMULATION_UNREADABLE: platform("Remove the file to start with an empty simulated cluster"),
    OPERATIONS_RUNNING: platform(
      "Wait until the operations have ended, or cancel them, and copy again",
      "mpctl op list",
    ),
    STORE_MISSING: platform("Check the address: no platform has kept anything there"),
    TARGET_EXISTS: platform("Choose another name; nothing is overwritten without being told to"),
    STORE_INCOMPLETE: platform("Run the same copy again: it goes on where it was"),
    STORE_NOT_EMPTY: platform("Choose an empty store as the target"),
    STORE_NOT_LOADABLE: platform("Choose a store of another kind as the target"),
    STORE_CERTIFICATE_REJECTED: platform(
      "Correct tlsCAFile or the host in the store's address, or renew the server's certificate",
    ),
    STORE_CREDENTIALS_REJECTED: platform(
      "Correct the user, the password or the authSource in the address of the store",
    ),
    STORE_INDEXES_DIFFER: platform("Drop the index that the message names, and start again"),
    STORE_IN_USE: platform("Stop the process that uses the store, or choose another --data-dir"),
    STORE_NOT_WRITABLE: platform("Choose a --data-dir that the process may write to"),
    STORE_SERVER_UNSUPPORTED: platform(
      "Use another version of the database server: MongoDB 4.2 to 8",
    ),
    STORE_TOO_NEW: platform("Start the version that wrote the store, or a newer one"),
    STORE_WRONG_REPLICA_SET: platform("Correct the replicaSet in the address of the store"),
    SUPERSEDED: caller("Look at the later operation; it has changed the resource since"),
    UNKNOWN_CLUSTER: caller(
      "Name a cluster that the workers have",
      "mpctl env create {environment} --cluster NAME",
    ),
    UNSCHEDULABLE: cluster("Add nodes that can take the replicas, or free room on those there are"),
    UNSUPPORTED_RUNTIME: platform("Run it with the version of Deno that the error names"),
    VOLUME_NOT_BOUND: caller(
      "Give the volume a storage class that the cluster has, and deploy again",
      "kubectl get storageclasses",
    ),
  },
  ABORTED: {
    ADMISSION_DROPPED: caller("Send the request again; it was dropped because it took too long"),
    CLUSTER_CONFLICT: cluster("Find out who else changes the object on the cluster, and retry"),
    FIELD_CONFLICT: caller(
      "Leave the fields to their manager, or take them over with --force-conflicts",
      "mpctl op retry {operation} --force-conflicts",
    ),
    ETAG_MISMATCH: caller("Read the resource again and repeat the change"),
    OPERATION_IN_PROGRESS: nobody("Wait until the operation that holds the resource has ended"),
    PLAN_OUTDATED: caller("Make a new plan and apply that one"),
    VERSION_CONFLICT: caller("Read the resource again and repeat the change"),
    WORKFLOW_CANCELLED: platform("Cancel operations with 'mpctl op cancel', not in Temporal"),
    WORKFLOW_ENDED: platform("Find out in Temporal why the workflow ended, and retry"),
    WORKFLOW_FAILED: platform("Find out in Temporal why the workflow failed, and retry"),
    WORKFLOW_TERMINATED: platform("Find out who terminated the workflow in Temporal, and retry"),
    WORKFLOW_TIMED_OUT: platform("Find out in Temporal why the workflow took so long, and retry"),
  },
  OUT_OF_RANGE: {
    EVENTS_COMPACTED: caller("Watch again without the token, from the current state"),
    EVENTS_UNKNOWN: caller("Watch again without the token, from the current state"),
    WATCH_EXPIRED: nobody("Wait; the platform lists the objects again by itself"),
  },
  RESOURCE_EXHAUSTED: {
    ENVIRONMENT_LIMIT: caller("Delete an environment, or ask for a higher limit", "mpctl env list"),
    MESSAGE_TOO_LARGE: caller("Send a smaller message"),
    OPERATION_LIMIT: caller("Wait until an operation has ended, or cancel one", "mpctl op list"),
    QUOTA_EXCEEDED: caller(
      "Ask for less, or raise the environment's quota",
      "mpctl env update {environment} --max-cpu CPU --max-memory MEMORY",
    ),
    RATE_LIMITED: caller("Call less often, and retry after the time that RetryInfo gives"),
    STORE_FULL: platform("Make room on the disk of the store; the process then goes on by itself"),
    TOO_MANY_TOKENS: caller("Revoke tokens that nobody uses", "mpctl token list"),
    TOO_MANY_CALLS: caller("Run fewer calls at the same time"),
    READER_TOO_SLOW: caller("Read faster, and go on with the resume token of the error"),
    TOO_MANY_ENVIRONMENTS: platform("Bind the role by name patterns in the access file"),
    TOO_MUCH_AT_ONCE: caller("Send less at the same time"),
  },
  PERMISSION_DENIED: {
    CHART_REPOSITORY_REFUSED: platform("Allow the chart's registry, or use one that is allowed"),
    CLUSTER_FORBIDS: cluster(
      "Grant the worker the permission that the error names, by a Role on the cluster",
      "kubectl apply -f deploy/kubernetes/worker_role.yaml",
    ),
    ENGINE_FORBIDS: platform(
      "Correct the TLS certificate or the API key for Temporal",
      "deno task worker --help",
    ),
    HOST_NOT_ALLOWED: platform("Add the host with --allowed-host"),
    METHOD_NOT_LISTED: platform(REPORT),
    ORIGIN_NOT_ALLOWED: platform("Add the page's host with --allowed-host"),
    PERMISSION_MISSING: caller("Ask for a role with the permission", "mpctl auth list"),
  },
  UNAUTHENTICATED: {
    CLUSTER_CREDENTIALS: cluster("Renew the credentials in the worker's kubeconfig"),
    CREDENTIALS_EXPIRED: caller("Sign in again, or create another token", "mpctl login"),
    CREDENTIALS_INVALID: caller(
      "Sign in again; the server's log says at level debug what is wrong",
      "mpctl login",
    ),
    CREDENTIALS_MISSING: caller("Send credentials that the server accepts", "mpctl login"),
  },
  UNIMPLEMENTED: {
    UNKNOWN_METHOD: caller("Call a method that reflection lists"),
    MESSAGE_COUNT: caller("Send exactly one message"),
    OPERATIONS_ARE_KEPT: caller("Leave the operation: old ones are deleted after the retention"),
    PARTIAL_SUCCESS_UNSUPPORTED: caller("Leave return_partial_success unset"),
    UNSUPPORTED_ENCODING: caller("Send the message without compression"),
    WRONG_PORT: caller("Call the server's gRPC port"),
  },
  UNAVAILABLE: {
    ADMISSION_UNREACHABLE: cluster("Repair the admission webhook that the error names"),
    AUDIT_UNAVAILABLE: platform(
      "Find out from the log why audit records cannot be kept, and retry",
    ),
    CLUSTER_FAILED: cluster("Find the failure in the log of the cluster's API server, and retry"),
    CLUSTER_UNREACHABLE: cluster("Check that the cluster runs and can be reached from the worker"),
    ENGINE_UNREACHABLE: platform(
      "Check that Temporal runs and can be reached",
      "temporal operator cluster health",
    ),
    INTERRUPTED: nobody("Wait; another attempt goes on with the step"),
    ISSUER_UNAVAILABLE: platform("Check that the OIDC issuer runs and can be reached from the API"),
    NO_WORKER: platform("Start a worker", "deno task worker"),
    SHUTTING_DOWN: nobody("Wait for the server to come back, and call again"),
    STORE_IO_FAILED: platform("Look for errors of the disk in the system's log, and repair it"),
    STORE_LOCKED: platform(
      "Wait until the other process, such as a backup, releases the database, or stop it",
    ),
    STORE_READ_ONLY: platform(
      "Make the data directory writable again; the process then goes on by itself",
    ),
    STORE_REPLACED: platform(
      "Put the file back where it was, or restart the process on the file that is there now",
    ),
    STORE_UNAVAILABLE: platform(
      "Check the disk and the permissions of the data directory, or the database server",
    ),
    WATCH_ENDED: caller("Watch again with the last token"),
  },
  DEADLINE_EXCEEDED: {
    ATTEMPT_TIMED_OUT: platform("Find out what the step waits for, and retry"),
    BODY_TIMEOUT: caller("Send the request's body faster"),
    DEADLINE_EXCEEDED: caller("Give the call more time; what it has started goes on"),
    DELETE_BLOCKED: cluster("Remove what holds the object on the cluster, and retry"),
    HELM_TIMEOUT: caller("Simplify the chart, so that Helm renders it in time"),
    OPERATION_TIMED_OUT: platform("Find out which step took so long, and retry"),
    STEP_TIMED_OUT: platform("Find out what the step waits for, and retry"),
  },
  CANCELLED: {
    ABORTED_BY_CALLER: nobody("Nothing; the caller ended the call"),
    OPERATION_CANCELLED: caller("Start the operation again, if it is still wanted"),
  },
  DATA_LOSS: {
    BACKUP_DAMAGED: platform("Choose another backup"),
    COPY_DIFFERS: platform("Stop all that writes to either store, and copy into an empty one"),
    STORE_CORRUPT: platform(OTHER_STORE),
  },
  INTERNAL: {
    ILLEGAL_MOVE: platform(REPORT),
    INTERNAL: platform("Look for the error's id in the server's log"),
    LOST_OPERATION: platform(REPORT),
    LOST_RESOURCE: platform(REPORT),
    NO_SUCH_STEP: platform("Run all workers in the same version"),
    UNEXPECTED: platform(REPORT),
    UNEXPECTED_STATUS: platform("See in the message what the cluster answered"),
  },
} satisfies Record<ErrorCode, Readonly<Record<string, Advice>>>;

/** The reasons that errors of a code have; none where the code is one of several. */
export type ReasonOf<Code extends ErrorCode> = keyof (typeof REASONS)[Code];

export type ErrorReason = { [Code in ErrorCode]: ReasonOf<Code> }[ErrorCode];

interface CatalogueEntry extends Advice {
  readonly code: ErrorCode;
}

const BY_REASON: ReadonlyMap<string, CatalogueEntry> = new Map(
  ERROR_CODES.flatMap((code) =>
    Object.entries<Advice>(REASONS[code]).map(([reason, advice]) => [reason, { ...advice, code }])
  ),
);

/** Whether this version knows a reason, which may come from another version or another program. */
export const isReason = (reason: string): reason is ErrorReason => BY_REASON.has(reason);

/** The one code of a reason. */
export const codeOf = (reason: ErrorReason): ErrorCode => BY_REASON.get(reason)!.code;

/**
 * What to do about any reason that an error, a record or another process gives. Of a reason that this
 * version does not know, for instance one of a newer version, the code alone says who must act.
 */
export function adviceFor({ code, reason }: { code: ErrorCode; reason: string }): Advice {
  return BY_REASON.get(reason) ?? {
    responsible: code === "INVALID_ARGUMENT" ? "caller" : "platform",
    nextStep: "Act on the message; this version of the platform does not know the reason",
    command: "",
  };
}
