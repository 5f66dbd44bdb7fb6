import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { identify, intercept } from "@mpc/process";
import {
  CreateEnvironmentRequestSchema,
  EnvironmentService,
  GetEnvironmentRequestSchema,
} from "@mpc/proto";
import { auditedAuthorizer, auditedStore } from "@mpc/services";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { environmentService } from "../../api/environment_service.ts";
import { auditCalls } from "../../api/interceptors/audit_calls.ts";
import { openAudit } from "../fakes/audit.ts";
import { Platform } from "../fakes/platform.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, rates, timed } from "./measure.ts";

const ROUNDS = 300;

/** Admissions on SQLite with the audit, compared with the same without it; no door, no engine. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const audited = await methodsOf(join(directory, "audited.db"), true);
  const bare = await methodsOf(join(directory, "bare.db"), false);
  try {
    const took: Record<string, number[]> = { audited: [], bare: [] };
    for (let round = 0; round < ROUNDS; round++) {
      took["audited"]!.push(await timed(audited.change));
      took["bare"]!.push(await timed(bare.change));
    }
    const [p50 = NaN, bareP50 = NaN] = ["audited", "bare"].map((name) => quantile(took[name]!));
    const calls = { audited: audited.change, bare: bare.change };
    const many = await rates(calls, { ms: 1_000, inFlight: 32, rounds: 3 });
    const reads = await rates(
      { audited: audited.read, bare: bare.read },
      { ms: 500, inFlight: 8, rounds: 5 },
    );
    return [
      {
        name: "admission with audit, one at a time, p50",
        value: p50,
        unit: "ms",
        reference: `${bareP50.toPrecision(3)} ms without`,
        ratio: p50 / bareP50,
        note: "a durable record before and after",
      },
      {
        name: "admissions with audit, 32 in flight",
        value: many["audited"]!,
        unit: "/s",
        reference: `${many["bare"]!.toFixed(0)} /s without`,
        ratio: many["audited"]! / many["bare"]!,
      },
      {
        name: "Get with audit (nothing is recorded)",
        value: reads["audited"]!,
        unit: "/s",
        reference: `${reads["bare"]!.toFixed(0)} /s without`,
        ratio: reads["audited"]! / reads["bare"]!,
      },
    ];
  } finally {
    await audited.close();
    await bare.close();
    await rm(directory, { recursive: true });
  }
}

async function methodsOf(path: string, withAudit: boolean) {
  const store = openSqliteStore({ path });
  const platform = await Platform.start({ store });
  await platform.crash();
  const { clock } = platform;
  const audit = openAudit({ store, clock });
  const deps = withAudit
    ? {
      ...platform.deps,
      store: auditedStore(store),
      authorizer: auditedAuthorizer(platform.deps.authorizer),
    }
    : platform.deps;
  const methods = intercept(EnvironmentService, environmentService(deps), [
    ...withAudit ? [auditCalls(audit)] : [],
    identify(() => ({ principal: "ann", groups: [], kind: "user" })),
  ]);
  const contextOf = (method: "createEnvironment" | "getEnvironment") =>
    createHandlerContext({
      service: EnvironmentService,
      method: EnvironmentService.method[method],
      protocolName: "grpc",
      requestMethod: "POST",
      url: "http://local",
      requestHeader: {},
    });
  let count = 0;
  const change = async () => {
    const request = { environmentId: `e-${count++}`, environment: {} };
    await methods.createEnvironment!(
      create(CreateEnvironmentRequestSchema, request),
      contextOf("createEnvironment"),
    );
  };
  await change();
  return {
    change,
    read: async () => {
      await methods.getEnvironment!(
        create(GetEnvironmentRequestSchema, { name: "environments/e-0" }),
        contextOf("getEnvironment"),
      );
    },
    async close() {
      await audit[Symbol.asyncDispose]();
      await store.close();
    },
  };
}
