/** Small documents for tests, with the given fields overridden. */
import {
  type DeadLetter,
  deadLetterName,
  DEFAULT_CLUSTER,
  type Environment,
  environmentName,
  type EventSink,
  eventSinkName,
  type NewEvent,
  NO_QUOTA,
  type Operation,
  type Token,
  tokenName,
  type Workload,
  workloadName,
  type WorkloadSpec,
} from "@mpc/domain";

const NOW = Date.UTC(2030, 0, 1);

const RESOURCE = {
  generation: 1,
  labels: {},
  annotations: {},
  createTime: NOW,
  updateTime: NOW,
  conditions: [],
  currentOperation: null,
  nextOperation: null,
  lastOperation: null,
} as const;

export function anEnvironment(id: string, overrides: Partial<Environment> = {}): Environment {
  return {
    ...RESOURCE,
    name: environmentName(id),
    uid: `uid-${id}`,
    state: "READY",
    expireTime: null,
    deletionProtection: false,
    quota: NO_QUOTA,
    cluster: DEFAULT_CLUSTER,
    ...overrides,
  };
}

export function aToken(id: string, overrides: Partial<Token> = {}): Token {
  return {
    name: tokenName(id),
    uid: `uid-${id}`,
    displayName: "",
    groups: [],
    creator: "user:ann@example.com",
    createTime: NOW,
    expireTime: NOW + 3_600_000,
    secretHash: "0".repeat(64),
    lastUseTime: null,
    ...overrides,
  };
}

export function aSpec(overrides: Partial<WorkloadSpec> = {}): WorkloadSpec {
  return {
    image: "nginx:1.27",
    replicas: 1,
    ports: [],
    env: {},
    envFrom: [],
    resources: { cpu: null, memory: null },
    healthCheck: null,
    livenessCheck: null,
    command: [],
    args: [],
    volumes: [],
    ingress: null,
    autoscaling: null,
    disruptionBudget: null,
    chart: null,
    progressDeadlineMs: 600_000,
    ...overrides,
  };
}

export function aWorkload(
  environment: string,
  id: string,
  overrides: Partial<Workload> = {},
): Workload {
  return {
    ...RESOURCE,
    name: workloadName(environment, id),
    uid: `uid-${environment}-${id}`,
    state: "READY",
    spec: aSpec(),
    restartToken: "",
    activeRevision: 1,
    lastRevision: 1,
    readyReplicas: 1,
    ...overrides,
  };
}

export function anOperation(id: string, overrides: Partial<Operation> = {}): Operation {
  return {
    name: `operations/${id}`,
    kind: "environment.create",
    target: environmentName("dev"),
    targetUid: "uid-dev",
    state: "PENDING",
    input: {},
    requestId: null,
    requestHash: "",
    steps: [],
    error: null,
    actor: "ann",
    engine: "embedded",
    createTime: NOW,
    updateTime: NOW,
    startTime: null,
    endTime: null,
    deadline: NOW + 600_000,
    cancellation: null,
    residue: [],
    retryOf: null,
    traceparent: null,
    waitingReason: "",
    ...overrides,
  };
}

export function anEvent(message: string, overrides: Partial<NewEvent> = {}): NewEvent {
  return {
    time: NOW,
    type: "UPDATED",
    reason: "Ready",
    message,
    target: environmentName("dev"),
    operation: null,
    actor: "ann",
    resource: null,
    ...overrides,
  };
}

export function anEventSink(id: string, overrides: Partial<EventSink> = {}): EventSink {
  return {
    name: eventSinkName(id),
    origin: "https://hooks.example.com",
    filter: "",
    state: "ACTIVE",
    position: 0,
    createTime: NOW,
    updateTime: NOW,
    lastDeliveryTime: null,
    lastError: null,
    nextAttemptTime: null,
    goneUrlHash: null,
    ...overrides,
  };
}

export function aDeadLetter(
  sink: string,
  sequence: number,
  overrides: Partial<DeadLetter> = {},
): DeadLetter {
  return {
    name: deadLetterName(eventSinkName(sink), sequence),
    event: { ...anEvent("WorkloadDeployed"), sequence },
    attempts: 3,
    error: { time: NOW, status: 400, message: "The receiver answers with the status 400" },
    createTime: NOW,
    resendTime: null,
    ...overrides,
  };
}
