import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CallActivity, callerOf } from "@mpc/process";
import {
  DiagnoseResponseSchema,
  type DiagnosticsService,
  type GetActivityResponse,
  GetActivityResponseSchema,
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

function toActivity(
  methods: readonly CallActivity[],
  { startMs, nowMs }: { readonly startMs: number; readonly nowMs: number },
): GetActivityResponse {
  return create(GetActivityResponseSchema, {
    startTime: timestampFromMs(startMs),
    readTime: timestampFromMs(nowMs),
    methods: methods.map(({ method, running, calls, failures, totalSeconds, buckets }) => ({
      method,
      running,
      calls: BigInt(calls),
      failures: BigInt(failures),
      ...(totalSeconds !== null &&
        { totalDuration: durationFromMs(Math.round(totalSeconds * 1_000)) }),
      buckets: buckets.map(({ upperBoundSeconds, calls }) => ({
        upperBound: durationFromMs(upperBoundSeconds * 1_000),
        calls: BigInt(calls),
      })),
    })),
  });
}

/**
 * The diagnostics methods of the API.
 * @param activity what this process has answered
 */
export function diagnosticsService(
  deps: ServiceDeps,
  info: ServerInfo,
  { activity }: { readonly activity: () => Promise<readonly CallActivity[]> },
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
    async getActivity(_request, context) {
      await deps.authorizer.authorize(callerOf(context), {
        permission: "platform.diagnose",
        resource: null,
      });
      const nowMs = deps.clock.now();
      return toActivity(await activity(), { startMs: Math.round(performance.timeOrigin), nowMs });
    },
    async getServerInfo() {
      return create(GetServerInfoResponseSchema, { ...info, provider: await info.provider() });
    },
  };
}
