import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  DiagnoseResponseSchema,
  type DiagnosticsService,
  GetServerInfoResponseSchema,
  SweepObjectsResponseSchema,
} from "@mpc/proto";
import { diagnose, type ServiceDeps, sweepObjects } from "@mpc/services";

/** What a server reports about itself. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: string;
  readonly storage: string;
  /** Id of the installation. */
  readonly installation: string;
  /** The name of the provider. */
  readonly provider: () => Promise<string>;
}

/** The diagnostics methods of the API. */
export function diagnosticsService(
  deps: ServiceDeps,
  info: ServerInfo,
): ServiceImpl<typeof DiagnosticsService> {
  return {
    async diagnose(_request, context) {
      const { checks, findings, foreign } = await diagnose(deps, callerOf(context));
      return create(DiagnoseResponseSchema, {
        checks: [...checks],
        findings: findings.map((finding) => ({ ...finding })),
        foreignObjects: foreign.map((it) => ({ ...it })),
      });
    },
    async sweepObjects(request, context) {
      const { leftovers, skipped, findings } = await sweepObjects(deps, callerOf(context), request);
      return create(SweepObjectsResponseSchema, {
        targets: leftovers.map(({ target }) => target),
        findings: findings.map((finding) => ({ ...finding })),
        leftovers: leftovers.map((leftover) => ({ ...leftover, objects: [...leftover.objects] })),
        skippedUids: skipped.map(({ targetUid }) => targetUid),
      });
    },
    async getServerInfo() {
      return create(GetServerInfoResponseSchema, { ...info, provider: await info.provider() });
    },
  };
}
