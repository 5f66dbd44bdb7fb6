/** The committed rules and dashboards, as data. */
import { readdir, readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

const FOLDER = new URL("../../deploy/observability/", import.meta.url);

const RULE = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

const RULES = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(RULE) })),
});

const RULE_TESTS = z.object({
  tests: z.array(z.object({
    alert_rule_test: z.array(z.object({
      alertname: z.string(),
      exp_alerts: z.array(z.object({ exp_labels: z.record(z.string(), z.string()) })).optional(),
    })).default([]),
  })),
});

/** Part of what Grafana's model of dashboards has; the SDK that makes them checks the rest. */
const PANEL = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  description: z.string().default(""),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ type: z.string(), uid: z.string() }).optional(),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string().optional() }) }).optional(),
  targets: z.array(z.object({
    expr: z.string(),
    refId: z.string(),
    datasource: z.object({ uid: z.string() }),
  })).default([]),
});

const DASHBOARD = z.object({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.int(),
  templating: z.object({
    list: z.array(z.object({ type: z.string(), name: z.string(), query: z.unknown() })),
  }),
  panels: z.array(PANEL),
});

/** A file of rules. */
export type RuleFile = z.output<typeof RULES>;
export type Rule = z.output<typeof RULE>;
export type Dashboard = z.output<typeof DASHBOARD>;

/** The files in a folder of `deploy/observability/`, by name, as `schema` reads them. */
async function read<T>(folder: string, ending: string, schema: z.ZodType<T>) {
  const path = new URL(folder, FOLDER);
  const names = (await readdir(path)).filter((name) => name.endsWith(ending)).sort();
  return await Promise.all(names.map(async (name) => ({
    name,
    path: new URL(name, path).pathname,
    content: schema.parse(parse(await readFile(new URL(name, path), "utf8"))),
  })));
}

/** The files of rules. */
export const ruleFiles = () => read("rules/", ".yaml", RULES);

/** The files of tests that promtool runs. */
export const ruleTestFiles = () => read("rules/tests/", ".yaml", RULE_TESTS);

/** The dashboards. */
export const dashboards = () => read("dashboards/", ".json", DASHBOARD);

/** The rules of all files that alert. */
export async function alerts(): Promise<readonly (Rule & { readonly alert: string })[]> {
  const files = await ruleFiles();
  return files.flatMap(({ content }) => content.groups).flatMap(({ rules }) => rules)
    .flatMap((rule) => rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]);
}
