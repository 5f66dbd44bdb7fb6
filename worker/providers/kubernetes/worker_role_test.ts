/** Whether the RBAC role for workers matches the requests that they make. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { knownResource } from "./client/kinds.ts";
import { CHART_KINDS } from "./helm/helm_options.ts";
import { ALL_KINDS } from "./managed_kinds.ts";

const FILE = new URL("../../../deploy/kubernetes/worker_role.yaml", import.meta.url);

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const VERBS = ["get", "list", "watch", "create", "patch", "delete"];

const { rules }: { rules: readonly Rule[] } = parse(await Deno.readTextFile(FILE));

const allows = (group: string, resource: string, verb: string): boolean =>
  rules.some(({ apiGroups, resources, verbs }) =>
    apiGroups.includes(group) && resources.includes(resource) && verbs.includes(verb)
  );

Deno.test("the role allows every request about the kinds that workers manage, charts included", async (t) => {
  for (const kind of new Set([...ALL_KINDS, ...CHART_KINDS])) {
    const { apiVersion } = kind;
    const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
    const { plural } = knownResource(kind)!;
    await t.step(plural, () => {
      assert.deepEqual(VERBS.filter((verb) => !allows(group, plural, verb)), []);
    });
  }
});

Deno.test("the role has no wildcards, and cannot change permissions", () => {
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) => [
    ...[...apiGroups, ...resources, ...verbs],
  ]);
  assert.equal(granted.includes("*"), false);
  assert.equal(granted.includes("rbac.authorization.k8s.io"), false);
});
