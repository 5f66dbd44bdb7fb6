/** The committed rules, judged by promtool: each alert fires in its fault, and is resolved after it. */
import assert from "node:assert/strict";
import { alerts, ruleFiles, ruleTestFiles } from "../observability/definitions.ts";
import { promtool } from "../servers/prometheus.ts";

Deno.test("promtool finds nothing wrong with the rules", async () => {
  const paths = (await ruleFiles()).map(({ path }) => path);
  const { code, out, err } = await promtool(
    "check",
    "rules",
    "--lint=all",
    "--lint-fatal",
    ...paths,
  );
  assert.equal(code, 0, out + err);
});

Deno.test("promtool accepts the example of a configuration, with the rules that it names", async () => {
  const path = new URL("../../deploy/observability/prometheus.yaml", import.meta.url).pathname;
  const { code, out, err } = await promtool("check", "config", path);
  assert.equal(code, 0, out + err);
  for (const { name } of await ruleFiles()) assert.ok(out.includes(`rules/${name}`), out);
});

for (const { name, path } of await ruleTestFiles()) {
  Deno.test(`promtool: the tests of ${name} hold`, async () => {
    const { code, out, err } = await promtool("test", "rules", path);
    assert.equal(code, 0, out + err);
  });
}

Deno.test("promtool's tests see each alert silent, firing and resolved", async () => {
  const tests = (await ruleTestFiles()).flatMap(({ content }) => content.tests);
  for (const { alert } of await alerts()) {
    const seen = tests.map(({ alert_rule_test }) =>
      alert_rule_test.filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts = [] }) => exp_alerts.length > 0 ? "fires" : "silent").join(" ")
    ).filter((states) => states !== "");
    assert.ok(seen.length > 0, `${alert} has a test`);
    for (const states of seen) assert.match(states, /^(?:silent fires )+silent$/, alert);
  }
});

Deno.test("promtool's tests see every objective missed at both speeds", async () => {
  const seen = new Set(
    (await ruleTestFiles()).flatMap(({ content }) => content.tests)
      .flatMap(({ alert_rule_test }) => alert_rule_test)
      .flatMap(({ alertname, exp_alerts = [] }) =>
        exp_alerts.map(({ exp_labels: { slo } }) => `${alertname} ${slo}`)
      ),
  );
  const rules = (await ruleFiles()).flatMap(({ content }) => content.groups)
    .flatMap(({ rules }) => rules);
  const objectives = rules.filter(({ record }) => record === "mpc:slo_budget:ratio");
  assert.equal(objectives.length, 4);
  for (const { labels: { slo } } of objectives) {
    assert.ok(seen.has(`MpcErrorBudgetBurnFast ${slo}`), `${slo}, fast`);
    assert.ok(seen.has(`MpcErrorBudgetBurnSlow ${slo}`), `${slo}, slowly`);
  }
});
