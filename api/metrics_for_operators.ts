import { create } from "@bufbuild/protobuf";
import { ConnectError, createContextValues, createHandlerContext } from "@connectrpc/connect";
import { callerOf, identify, intercept, SOURCE } from "@mpc/process";
import { DiagnoseRequestSchema, DiagnosticsService } from "@mpc/proto";
import type { ServiceDeps } from "@mpc/services";
import { mapErrors } from "./interceptors/map_errors.ts";
import type { CallSettings } from "./routes.ts";
import { refusal } from "./web/refusals.ts";

/**
 * Answers `/metrics` to callers who may diagnose the platform, or to everybody where it is public.
 * Callers present their credentials as they do for calls.
 */
export function metricsForOperators(
  { authorizer, ids }: Pick<ServiceDeps, "authorizer" | "ids">,
  settings: Pick<CallSettings, "authenticate"> & {
    readonly metrics: (accept: string | null) => Promise<Response>;
    readonly publicMetrics: boolean;
  },
): (request: Request, source: string) => Promise<Response> {
  if (settings.publicMetrics) {
    return (request) => settings.metrics(request.headers.get("accept"));
  }
  const { diagnose } = intercept(DiagnosticsService, {
    async diagnose(_request, context) {
      const access = { permission: "platform.diagnose", resource: null } as const;
      await authorizer.authorize(callerOf(context), access);
      return {};
    },
  }, [mapErrors(() => ids.uuid()), identify(settings.authenticate)]);
  return async (request, source) => {
    const context = createHandlerContext({
      service: DiagnosticsService,
      method: DiagnosticsService.method.diagnose,
      protocolName: "http",
      requestMethod: request.method,
      url: request.url,
      requestHeader: request.headers,
      requestSignal: request.signal,
      contextValues: createContextValues().set(SOURCE, source),
    });
    try {
      await diagnose?.(create(DiagnoseRequestSchema), context);
    } catch (error) {
      return refusal(ConnectError.from(error));
    }
    return await settings.metrics(request.headers.get("accept"));
  };
}
