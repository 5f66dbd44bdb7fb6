import type { AllInOneConfig } from "@mpc/api";
import { NO_CHARTS } from "@mpc/process";

/** Everything in one process and in memory, on free ports, without delays and limits. */
export const QUIET_CONFIG: AllInOneConfig = {
  store: "memory:",
  dataDir: null,
  encryptionKeys: null,
  grpcListen: { host: "127.0.0.1", port: 0 },
  webListen: { host: "127.0.0.1", port: 0 },
  clusters: [],
  charts: NO_CHARTS,
  simulatedDelays: "none",
  engine: "embedded",
  temporal: { target: null, taskQueue: "mpc", payloadKey: null },
  takeOver: false,
  eventSinksFile: null,
  keepMs: null,
  auditKeepMs: null,
  auditLog: null,
  rateLimit: { perSecond: 1_000_000, burst: 1_000_000 },
  logging: { levels: { base: "error", categories: {} }, format: "json", levelFile: null },
  allowedHosts: [],
  corsOrigins: [],
  tls: null,
  exposed: null,
  accessFile: null,
  publicMetrics: false,
  graceMs: 2_000,
};
