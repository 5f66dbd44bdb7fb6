/** Rules, alerts and dashboards name what exists: metrics, labels, pages and commands of mpctl. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { Metrics } from "@mpc/telemetry";
import { alerts, dashboards, ruleFiles } from "./definitions.ts";
import { mpctlCommands } from "./mpctl_commands.ts";
import { readExpression } from "./promql.ts";

const ROOT = new URL("../../", import.meta.url);

/** Labels that Prometheus adds to every series that it scrapes. */
const TARGET_LABELS = ["job", "instance"];

/** The labels of every series there can be: the platform's, recorded ones and Prometheus' own. */
async function knownSeries(): Promise<ReadonlyMap<string, readonly string[]>> {
  using metrics = new Metrics({ version: "", process: "" });
  const series = new Map<string, readonly string[]>([
    ["up", TARGET_LABELS],
    ["ALERTS", ["alertname", "alertstate", "severity"]],
  ]);
  for (const { name, type, labels } of metrics.describe()) {
    const all = [...labels, ...TARGET_LABELS];
    if (type !== "histogram") series.set(name, all);
    else {
      for (const part of ["sum", "count"]) series.set(`${name}_${part}`, all);
      series.set(`${name}_bucket`, [...all, "le"]);
    }
  }
  for (const { content } of await ruleFiles()) {
    for (const { record, labels } of content.groups.flatMap(({ rules }) => rules)) {
      if (record) series.set(record, Object.keys(labels));
    }
  }
  // The windows are made of the rates, and so have their labels.
  for (const name of series.keys()) if (name.startsWith("mpc:slo_")) series.set(name, ["slo"]);
  return series;
}

/** What of an expression is not there. */
function unknownIn(expr: string, series: ReadonlyMap<string, readonly string[]>): string[] {
  const { selectors, groupedBy } = readExpression(expr);
  const usable = selectors.flatMap(({ metric }) => series.get(metric) ?? []);
  return [
    ...selectors.flatMap(({ metric, labels }) => {
      const known = series.get(metric);
      if (!known) return [`${metric} in ${expr}`];
      return labels.filter((label) => !known.includes(label))
        .map((label) => `${metric}{${label}} in ${expr}`);
    }),
    ...groupedBy.filter((label) => !usable.includes(label)).map((label) => `${label} in ${expr}`),
  ];
}

Deno.test("rules use metrics and labels that processes have", async () => {
  const series = await knownSeries();
  const rules = (await ruleFiles()).flatMap(({ content }) => content.groups)
    .flatMap(({ rules }) => rules);
  assert.ok(rules.length > 30, "the rules were found");
  assert.deepEqual(rules.flatMap(({ expr }) => unknownIn(expr, series)), []);
});

Deno.test("a metric and a label that no process has are found", async () => {
  const series = await knownSeries();
  assert.deepEqual(unknownIn(`rate(mpc_rpc_duration_seconds_sum{cod="OK"}[5m])`, series), [
    `mpc_rpc_duration_seconds_sum{cod} in rate(mpc_rpc_duration_seconds_sum{cod="OK"}[5m])`,
  ]);
  assert.deepEqual(unknownIn("mpc_rpc_seconds", series), ["mpc_rpc_seconds in mpc_rpc_seconds"]);
  assert.deepEqual(unknownIn("sum by (le) (up)", series), ["le in sum by (le) (up)"]);
  assert.throws(() => readExpression("sum(rate(up[5m])"), SyntaxError);
});

for (const { name, content } of await dashboards()) {
  Deno.test(`${name}: panels ask for what processes have`, async () => {
    const series = await knownSeries();
    const targets = content.panels.flatMap(({ targets }) => targets);
    assert.ok(targets.length > 5, "the queries were found");
    const asked = targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m"));
    assert.deepEqual(asked.flatMap((expr) => unknownIn(expr, series)), []);
  });

  Deno.test(`${name}: choices list a label of a metric, and queries use no other variable`, async () => {
    const series = await knownSeries();
    const { list } = content.templating;
    assert.equal(list[0]?.type, "datasource");
    assert.equal(list[0]?.name, "datasource");
    for (const { name, query } of list.slice(1)) {
      const [, metric = "", label = ""] = /"label_values\((\w+), (\w+)\)"/
        .exec(JSON.stringify(query)) ?? [];
      assert.equal(label, name);
      assert.ok(series.get(metric)?.includes(label), `${metric} has ${label}`);
    }
    const names = ["__rate_interval", ...list.map(({ name }) => name)];
    const used = content.panels.flatMap(({ targets }) => targets)
      .flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = ""]) => name));
    assert.deepEqual(used.filter((name) => !names.includes(name)), []);
  });

  Deno.test(`${name}: panels have ids, units, a purpose, and a place of their own`, () => {
    const { panels } = content;
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Set<string>();
    for (const { title, type, description, fieldConfig, datasource, targets, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24, `'${title}' is on the page`);
          assert.ok(!taken.has(`${x} ${y}`), `'${title}' covers another panel`);
          taken.add(`${x} ${y}`);
        }
      }
      if (type === "row") continue;
      assert.ok(title && description, `'${title}' has a description`);
      assert.ok(fieldConfig?.defaults.unit, `'${title}' has a unit`);
      for (const source of [datasource, ...targets.map(({ datasource }) => datasource)]) {
        assert.equal(source?.uid, "${datasource}", `'${title}' asks the chosen Prometheus`);
      }
      assert.ok(targets.length > 0, `'${title}' has a query`);
    }
  });
}

Deno.test("dashboards have ids of their own", async () => {
  const uids = (await dashboards()).map(({ content }) => content.uid);
  assert.equal(uids.length, 3);
  assert.equal(new Set(uids).size, uids.length);
});

Deno.test("every alert has a severity, a summary and a runbook, and every runbook an alert", async () => {
  const named = await alerts();
  assert.equal(new Set(named.map(({ alert }) => alert)).size, named.length);
  for (const { alert, labels, annotations } of named) {
    assert.match(labels["severity"] ?? "", /^(?:page|ticket)$/, alert);
    assert.ok(annotations["summary"], alert);
    assert.equal(annotations["runbook"], `docs/runbooks/${alert}.md`);
    assert.ok(existsSync(new URL(annotations["runbook"], ROOT)), `${alert} has a runbook`);
  }
  const pages = await readdir(new URL("docs/runbooks", ROOT));
  const expected = [...named.map(({ alert }) => `${alert}.md`), "README.md"].sort();
  assert.deepEqual(pages.sort(), expected);
});

Deno.test("runbooks name commands of mpctl, with flags that those have", async () => {
  const commands = await mpctlCommands();
  for (const { alert } of await alerts()) {
    const page = await readFile(new URL(`docs/runbooks/${alert}.md`, ROOT), "utf8");
    const lines = [...page.matchAll(/(?:^|`)(mpctl [^`\n]*)/gm)].map(([, line = ""]) => line);
    assert.ok(lines.length > 0, `${alert} names a command`);
    assert.deepEqual(lines.flatMap((line) => commands.problems(line)), [], alert);
  }
});

Deno.test("a command and a flag that mpctl does not have are found", async () => {
  const { problems } = await mpctlCommands();
  assert.deepEqual(problems("mpctl op list --filter 'state = FAILED' --limit 5"), []);
  assert.deepEqual(problems("mpctl op explain ID  # says who must act"), []);
  assert.deepEqual(problems("mpctl op lost ID"), ["mpctl op lost: no such command"]);
  assert.deepEqual(problems("mpctl doctor --fix"), ["mpctl doctor: no flag --fix"]);
  assert.deepEqual(problems("mpctl op get"), ["mpctl op get: needs <operation>"]);
});
