import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  DiagnoseResponseSchema,
  type DiagnosticsService,
  GetServerInfoResponseSchema,
  type SweepObjectsResponse,
  SweepObjectsResponseSchema,
} from "@mpc/proto";
import {
  claimCluster,
  diagnose,
  type Leftovers,
  listLeftovers,
  type ServiceDeps,
  type Sweep,
  sweepObjects,
} from "@mpc/services";
import { toMutationAnswer, toOperation } from "./mapping/operation_mapping.ts";

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

function toSweep(
  sweep: Pick<Sweep, "leftovers"> & Partial<Sweep & Leftovers>,
): SweepObjectsResponse {
  const { leftovers, findings = [], skipped = [], operation = null } = sweep;
  return create(SweepObjectsResponseSchema, {
    targets: leftovers.map(({ target }) => target),
    findings: findings.map((finding) => ({ ...finding })),
    leftovers: leftovers.map((leftover) => ({ ...leftover, objects: [...leftover.objects] })),
    skippedUids: skipped.map(({ targetUid }) => targetUid),
    ...(operation && { operation: toOperation(operation) }),
  });
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
      const caller = callerOf(context);
      if (request.validateOnly) return toSweep(await listLeftovers(deps, caller));
      return toSweep(await sweepObjects(deps, caller, request));
    },
    async claimCluster(request, context) {
      return toMutationAnswer(await claimCluster(deps, callerOf(context), request));
    },
    async getServerInfo() {
      return create(GetServerInfoResponseSchema, { ...info, provider: await info.provider() });
    },
  };
}
