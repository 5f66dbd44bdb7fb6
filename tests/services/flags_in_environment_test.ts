/** Every flag of every program can be given by its environment variable. */
import assert from "node:assert/strict";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { readAllInOneConfig, readApiConfig } from "../../api/config.ts";
import { readCodecConfig } from "../../worker/codec/config.ts";
import { readWorkerConfig } from "../../worker/config.ts";

const FILE = fileURLToPath(import.meta.url);

/** A value of each flag, maybe of one program, that differs from its default, and what it needs. */
const SAMPLES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "access-file": ["access.yaml"],
  "allowed-host": ["a.example.com,b.example.com"],
  "audit-log": ["stdout"],
  "audit-log-max-bytes": ["20000", "--audit-log=stdout"],
  "audit-retention": ["7d"],
  "build-id": ["7", "--deployment=mpc"],
  "chart-cluster-kind": ["example.com/v1/Fruit", "--charts=charts"],
  "chart-hooks": ["true", "--charts=charts"],
  "chart-kind": ["example.com/v1/Fruit", "--charts=charts"],
  "chart-registry": ["oci://a.example.com/team/"],
  "charts": ["charts"],
  "clusters-file": ["/nowhere"],
  "codec-listen": ["127.0.0.1:7"],
  "concurrency": ["7"],
  "context": ["kind-dev", "--kubeconfig=config"],
  "cors-origin": ["https://a.example.com,https://b.example.com"],
  "data-dir": ["elsewhere"],
  "deployment": ["mpc", "--build-id=7"],
  "encryption-key-file": [FILE],
  "engine": ["temporal"],
  "ephemeral": ["true"],
  "event-sinks-file": ["sinks.yaml"],
  "grace": ["7"],
  "grpc-listen": ["127.0.0.1:7"],
  "health-listen": ["127.0.0.1:7"],
  "helm": ["/usr/bin/helm3", "--charts=charts"],
  "insecure": ["true", "--web-listen=0.0.0.0:7"],
  "internal-listen": ["127.0.0.1:7"],
  "internal-tls-cert": ["a.crt", "--internal-tls-key=a.key", "--internal-tls-client-ca=ca.crt"],
  "internal-tls-client-ca": ["ca.crt", "--internal-tls-cert=a.crt", "--internal-tls-key=a.key"],
  "internal-tls-key": ["a.key", "--internal-tls-cert=a.crt", "--internal-tls-client-ca=ca.crt"],
  "kubeconfig": ["config"],
  "log-format": ["pretty"],
  "log-level": ["error,storage=debug"],
  "log-level-file": ["levels"],
  "payload-key-file": [FILE],
  "public-metrics": ["true"],
  "rate-limit": ["7"],
  "registry-config": ["config.json", "--charts=charts"],
  "retention": ["7d"],
  "simulated-delays": ["none"],
  "store": ["memory:"],
  "take-over": ["true"],
  "temporal-address": ["temporal.example.com:7"],
  "temporal-namespace": ["shop", "--temporal-address=a.example.com:7"],
  "temporal-task-queue": ["shop"],
  "temporal-tls": ["true", "--temporal-address=a.example.com:7"],
  "temporal-tls-ca": [FILE, "--temporal-address=a.example.com:7"],
  "temporal-tls-cert": [FILE, "--temporal-address=a.example.com:7", `--temporal-tls-key=${FILE}`],
  "temporal-tls-key": [FILE, "--temporal-address=a.example.com:7", `--temporal-tls-cert=${FILE}`],
  "temporal-tls-server-name": [
    "b.example.com",
    "--temporal-address=a.example.com:7",
    "--temporal-tls",
  ],
  "tls-cert": ["server.crt", "--tls-key=server.key"],
  "tls-client-ca": ["clients.crt", "--tls-cert=server.crt", "--tls-key=server.key"],
  "tls-key": ["server.key", "--tls-cert=server.crt"],
  "ui-origin": ["http://localhost:7"],
  "web-listen": ["127.0.0.1:7"],
  "worker": ["http://127.0.0.1:7,http://127.0.0.1:8"],
  "worker-tls-ca": ["ca.crt", "--worker-tls-cert=a.crt", "--worker-tls-key=a.key"],
  "worker-tls-cert": ["a.crt", "--worker-tls-ca=ca.crt", "--worker-tls-key=a.key"],
  "worker-tls-key": ["a.key", "--worker-tls-ca=ca.crt", "--worker-tls-cert=a.crt"],
  "worker --insecure": ["true", "--internal-listen=0.0.0.0:7"],
  "workflow-bundle": ["bundle.js"],
};

type Read = (args: readonly string[]) => unknown;

const PROGRAMS: readonly (readonly [string, Read, readonly string[]])[] = [
  ["dev", readAllInOneConfig, []],
  ["api", readApiConfig, []],
  ["worker", readWorkerConfig, []],
  ["codec", readCodecConfig, [`--payload-key-file=${import.meta.dirname}/../../README.md`]],
];

/** What a call prints. */
function printedBy(call: () => unknown): string {
  const { stdout } = process;
  const write = stdout.write;
  let printed = "";
  stdout.write = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  try {
    call();
  } finally {
    stdout.write = write;
  }
  return printed;
}

/** The configuration or the error, with this variable alone. */
function outcome(read: Read, args: readonly string[], variable?: readonly [string, string]) {
  if (variable) process.env[variable[0]] = variable[1];
  try {
    return read(args);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  } finally {
    if (variable) delete process.env[variable[0]];
  }
}

for (const [program, read, always] of PROGRAMS) {
  const help = printedBy(() => read([...always, "--help"]));
  const flags = [...help.matchAll(/^ {2}--([a-z-]+)( <[^>]*\.\.\.>)?/gm)];
  Deno.test(`every flag of ${program} can be given by a variable`, async (t) => {
    assert.ok(flags.length >= 4, help);
    for (const [, flag = "", several] of flags) {
      const [value, ...rest] = SAMPLES[`${program} --${flag}`] ?? SAMPLES[flag] ??
        assert.fail(`no sample for --${flag}`);
      await t.step(`--${flag}`, () => {
        const values = several ? value.split(",") : [value];
        const isSwitch = value === "true";
        const byFlag = isSwitch ? [`--${flag}`] : values.map((text) => `--${flag}=${text}`);
        const others = always.filter((other) => !other.startsWith(`--${flag}=`));
        const name = `MPC_${flag.toUpperCase().replaceAll("-", "_")}`;
        const given = outcome(read, [...others, ...rest, ...byFlag]);
        const variable = outcome(read, [...others, ...rest], [name, value]);
        assert.deepEqual(variable, given);
        assert.notDeepEqual(
          given,
          outcome(read, [...always, ...rest]),
          "the sample is the default",
        );
      });
    }
  });
}
