import {
  DiagnosticsService,
  EnvironmentService,
  EventService,
  Health,
  OperationService,
  WorkloadService,
} from "@mpc/proto";
import type { ServiceDeps } from "@mpc/services";
import { callerOf } from "./caller_of.ts";
import { diagnosticsService, type ServerInfo } from "./diagnostics_service.ts";
import { environmentService } from "./environment_service.ts";
import { eventService } from "./event_service.ts";
import { HealthStatus } from "./health.ts";
import { accessLog } from "./interceptors/access_log.ts";
import { intercept } from "./interceptors/interceptor.ts";
import { mapErrors } from "./interceptors/map_errors.ts";
import { type RateLimit, rateLimit } from "./interceptors/rate_limit.ts";
import { operationService } from "./operation_service.ts";
import { reflectionRoutes } from "./reflection.ts";
import { type Route, route } from "./route.ts";
import { workloadService } from "./workload_service.ts";

/** Every service of the API, each implemented once, for both doors. */
export function routes(
  deps: ServiceDeps,
  info: ServerInfo,
  limit: RateLimit,
): { readonly routes: readonly Route[]; readonly health: HealthStatus } {
  const interceptors = [
    accessLog(),
    mapErrors(() => deps.ids.uuid()),
    rateLimit(limit, deps.clock, (context) => callerOf(context).actor),
  ];
  const served = [
    route(EnvironmentService, environmentService(deps)),
    route(WorkloadService, workloadService(deps)),
    route(OperationService, operationService(deps)),
    route(EventService, eventService(deps)),
    route(DiagnosticsService, diagnosticsService(deps, info)),
  ].map((bare) => intercept(bare, interceptors));
  const health = new HealthStatus(served.map(({ service }) => service.typeName));
  // Who asks for health is told also where others have had enough.
  const known = [...served, route(Health, health.implementation())];
  const reflection = reflectionRoutes(known).map((bare) => intercept(bare, interceptors));
  return { routes: [...known, ...reflection], health };
}
