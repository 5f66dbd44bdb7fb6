import {
  accessLog,
  type Call,
  type CallActivity,
  identify,
  type Identity,
  intercept,
  type Interceptor,
} from "@mpc/process";
import {
  AccessService,
  AuditService,
  DiagnosticsService,
  EnvironmentService,
  EventService,
  EventSinkService,
  Health,
  LongRunningOperations,
  OperationService,
  TokenService,
  WorkloadService,
} from "@mpc/proto";
import type { Audit, ServiceDeps } from "@mpc/services";
import { accessService } from "./access_service.ts";
import { auditService } from "./audit_service.ts";
import { diagnosticsService, type ServerInfo } from "./diagnostics_service.ts";
import { environmentService } from "./environment_service.ts";
import { eventSinkService } from "./event_sink_service.ts";
import { eventService } from "./event_service.ts";
import { HealthStatus } from "./health.ts";
import { auditCalls } from "./interceptors/audit_calls.ts";
import { listedMethods } from "./interceptors/listed_methods.ts";
import { mapErrors } from "./interceptors/map_errors.ts";
import { type RateLimit, rateLimit } from "./interceptors/rate_limit.ts";
import { recheckStreams } from "./interceptors/recheck_streams.ts";
import { validTimes } from "./interceptors/valid_times.ts";
import { longrunningService } from "./longrunning_service.ts";
import { operationService } from "./operation_service.ts";
import { reflectionRoutes } from "./reflection.ts";
import { type Route, route } from "./route.ts";
import { type Authentication, tokenService } from "./token_service.ts";
import { workloadService } from "./workload_service.ts";

/** What applies to every call. */
export interface CallSettings extends Authentication {
  readonly rateLimit: RateLimit;
  /** The identity of the caller. */
  readonly authenticate: (call: Call) => Identity | Promise<Identity>;
  /** Where calls are recorded. */
  readonly audit: Audit;
  /** Makes spans of calls; none if nothing exports them. */
  readonly traceCalls: readonly Interceptor[];
  /** Measures every call, with the code that its caller gets. */
  readonly measureCalls: Interceptor;
  /** Counts refused calls, by their reasons. */
  readonly countRefusals: Interceptor;
  /** What this process has answered. */
  readonly activity: () => Promise<readonly CallActivity[]>;
}

/** Every service of the API, implemented once for both doors. */
export function routes(
  deps: ServiceDeps,
  info: ServerInfo,
  settings: CallSettings,
): { readonly routes: readonly Route[]; readonly health: HealthStatus } {
  const interceptors = [
    ...settings.traceCalls,
    accessLog,
    settings.measureCalls,
    mapErrors(() => deps.ids.uuid()),
    settings.countRefusals,
    auditCalls(settings.audit),
    recheckStreams(settings.authenticate, deps.clock),
    identify(settings.authenticate),
    listedMethods,
    rateLimit(settings.rateLimit, deps.clock, deps.limitsOf),
    validTimes,
  ];
  const intercepted = (bare: Route): Route => ({
    ...bare,
    implementation: intercept(bare.service, bare.implementation, interceptors),
  });
  const served = [
    route(EnvironmentService, environmentService(deps)),
    route(WorkloadService, workloadService(deps)),
    route(OperationService, operationService(deps)),
    route(LongRunningOperations, longrunningService(deps)),
    route(EventService, eventService(deps)),
    route(AuditService, auditService(deps, settings.audit)),
    route(DiagnosticsService, diagnosticsService(deps, info, settings)),
    route(AccessService, accessService(deps)),
    route(TokenService, tokenService(deps, settings)),
    route(EventSinkService, eventSinkService(deps)),
  ].map(intercepted);
  const health = new HealthStatus(served.map(({ service }) => service.typeName));
  // Health is not intercepted, so that callers over their rate limit get an answer too.
  const known = [...served, route(Health, health.implementation())];
  const reflection = reflectionRoutes(known).map(intercepted);
  return { routes: [...known, ...reflection], health };
}
