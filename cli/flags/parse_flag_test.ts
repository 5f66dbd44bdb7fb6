import assert from "node:assert/strict";
import { autoscaling, sources, volumes } from "./parse_flag.ts";

const secret = (value: string) => ({ case: "secret" as const, value });
const config = (value: string) => ({ case: "config" as const, value });

Deno.test("sources() parses whole sources and single keys", () => {
  const typed = ["secret/keys", "A=secret/keys", "B=config/settings/b.c"];
  assert.deepEqual(typed.reduce((before, text) => sources(text, before), sources("config/all")), [
    { variable: "", key: "", source: config("all") },
    { variable: "", key: "", source: secret("keys") },
    { variable: "A", key: "", source: secret("keys") },
    { variable: "B", key: "b.c", source: config("settings") },
  ]);
  for (const text of ["keys", "secret/", "A=keys", "secret/keys/key", "=secret/keys", "A=x/y"]) {
    assert.throws(() => sources(text), { code: "commander.invalidArgument" }, text);
  }
});

Deno.test("volumes() parses every source", () => {
  assert.deepEqual(volumes("tls=/etc/tls:secret/web", volumes("data=/data:10Gi")), [
    { name: "data", path: "/data", source: { case: "storage", value: { size: "10Gi" } } },
    { name: "tls", path: "/etc/tls", source: secret("web") },
  ]);
  assert.deepEqual(volumes("a=/a:scratch", volumes("b=/b:scratch/1Gi")).map((v) => v.source), [
    { case: "scratch", value: { size: "1Gi" } },
    { case: "scratch", value: { size: "" } },
  ]);
  for (
    const text of ["/data:10Gi", "a=/data", "a=/data:", "a=/a:secret", "a=/a:secret/", "a=:1Gi"]
  ) {
    assert.throws(() => volumes(text), { code: "commander.invalidArgument" }, text);
  }
});

Deno.test("autoscaling() parses a range and a target", () => {
  const range = { minReplicas: 2, maxReplicas: 10 };
  assert.deepEqual(autoscaling("2-10"), { ...range, targetCpuPercent: 0 });
  assert.deepEqual(autoscaling("2-10@70%"), { ...range, targetCpuPercent: 70 });
  for (const text of ["", "2", "2-", "-2", "2-10@", "a-b", "2-10@70%%"]) {
    assert.throws(() => autoscaling(text), { code: "commander.invalidArgument" }, text);
  }
});
