/**
 * The schema of log lines: every field that a line may have. What is not in it is not written, so that
 * a value reaches the log only after somebody has decided that it is no secret.
 */

/** What kind of value a field has. */
type Kind = "text" | "number" | "count" | "boolean" | "error";

/** A field of log lines. */
export interface LogField {
  readonly kind: Kind;
  readonly description: string;
}

const field = (kind: Kind, description: string): LogField => ({ kind, description });

export const LOG_FIELDS = {
  // One RPC.
  method: field("text", "The method of a call: mpc.v1.EnvironmentService/GetEnvironment."),
  code: field("text", "The status of a call as gRPC spells it, or the code of a step's error."),
  reason: field("text", "The reason of a failure, from the catalogue of reasons."),
  durationMs: field("number", "How long the call or the attempt took, in milliseconds."),
  principal: field("text", "The caller, or the caller who requested the operation."),
  source: field("text", "The address that the call came from."),
  protocol: field("text", "The protocol of the call: grpc, grpc-web, connect or http."),
  traceId: field("text", "The id of the trace that the line belongs to."),
  requestId: field("text", "The request id that the caller gave (AIP-155)."),
  // One attempt of a step.
  operation: field("text", "The name of the operation."),
  environment: field("text", "The name of the environment."),
  resource: field("text", "The name of the resource that the line is about."),
  kind: field("text", "The kind of operation, or of Kubernetes object."),
  step: field("text", "The name of the step."),
  direction: field("text", "Whether a step is run or undone."),
  attempt: field("count", "The number of the attempt, beginning with 1."),
  outcome: field("text", "How the attempt ended: succeeded, failed, cancelled or stopped."),
  error: field("error", "An error: its code, reason, message and causes."),
  // Everything else, alphabetically.
  action: field("text", "What was tried."),
  address: field("text", "The address of a peer."),
  at: field("text", "A moment."),
  attempts: field("count", "How many attempts there were."),
  checks: field("count", "How many checks there were."),
  cluster: field("text", "The name of the cluster."),
  collection: field("text", "The collection of the store."),
  count: field("count", "How many times, or how many things."),
  everyMs: field("number", "The interval of a pass, in milliseconds."),
  how: field("text", "What happened to a schedule of Temporal."),
  id: field("text", "The id of an internal error, which its caller got too."),
  indexes: field("text", "The names of indexes."),
  issuer: field("text", "The name of an issuer of tokens."),
  lacks: field("text", "What a listener that other machines can reach has not."),
  levels: field("text", "The log levels that are in force."),
  name: field("text", "The name of a resource or of a pass."),
  orphan: field("text", "The name of an orphan."),
  path: field("text", "The path of a file of settings."),
  pauseMs: field("number", "How long until the next try, in milliseconds."),
  peer: field("text", "The address of a peer."),
  problem: field("text", "What is wrong."),
  removed: field("count", "How many were removed."),
  scheduleId: field("text", "The id of a schedule of Temporal."),
  seconds: field("number", "For how many seconds."),
  sequence: field("count", "The sequence of an event in the log."),
  sink: field("text", "The name of an event sink."),
  stack: field("text", "The stack trace of an internal error."),
  text: field("text", "What a library of ours said."),
  url: field("text", "The URL of a request, without its query."),
  verb: field("text", "What was to be done."),
  what: field("text", "The kind of file of settings."),
  where: field("text", "The file, or standard output."),
  why: field("text", "Why something was not done."),
} as const satisfies Readonly<Record<string, LogField>>;

/** The field of this name; undefined for one that must not be written. */
export const logField = (name: string): LogField | undefined => BY_NAME.get(name);

const BY_NAME: ReadonlyMap<string, LogField> = new Map(Object.entries(LOG_FIELDS));

/** The longest text of a field, in characters; a stack trace may be longer. */
export const MAX_FIELD_LENGTH = 2_000;
export const MAX_STACK_LENGTH = 8_000;
