/** Whether the RBAC roles for workers match the requests that they make. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { keyOf, knownResource, POD, REPLICA_SET } from "./client/kinds.ts";
import type { ObjectKind } from "./client/kube_object.ts";
import { CHART_KINDS } from "./helm/helm_options.ts";
import { ALL_KINDS, POLICY_KINDS, PRIVATE_KINDS, WORKLOAD_KINDS } from "./managed_kinds.ts";

const FILE = new URL("../../../deploy/kubernetes/worker_role.yaml", import.meta.url);

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: readonly Rule[];
}

const manifests = parseAllDocuments(await Deno.readTextFile(FILE))
  .map((document): Manifest => document.toJS());

const rulesOf = (role: string): readonly Rule[] =>
  manifests.find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === role)!.rules;

const EVERYWHERE = rulesOf("mpc-worker");
const INSIDE = rulesOf("mpc-environment");

/** The verbs that rules allow for all objects of a kind. */
function verbsOf(rules: readonly Rule[], kind: ObjectKind): readonly string[] {
  const { apiVersion } = kind;
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
  const { plural } = knownResource(kind)!;
  return rules.filter(({ apiGroups, resources }) =>
    apiGroups.includes(group) && resources.includes(plural)
  ).flatMap(({ verbs }) => verbs).sort();
}

const has = (kinds: readonly ObjectKind[], kind: ObjectKind): boolean =>
  kinds.some((it) => keyOf(it) === keyOf(kind));

const WRITE = ["create", "delete", "get", "list", "patch"];

Deno.test("in an environment a worker may write every kind that it manages, charts included", async (t) => {
  for (const kind of new Set([...ALL_KINDS, ...CHART_KINDS])) {
    if (kind.kind === "Namespace") continue;
    await t.step(kind.kind, () => assert.deepEqual(verbsOf(INSIDE, kind), WRITE));
  }
});

Deno.test("in all namespaces a worker may only read, no Secrets, and watch only what it waits for", async (t) => {
  for (const kind of [...new Set([...ALL_KINDS, ...CHART_KINDS]), POD, REPLICA_SET]) {
    const expected = kind.kind === "Namespace"
      ? [...WRITE, "watch"]
      : has(PRIVATE_KINDS, kind)
      ? []
      : has(POLICY_KINDS, kind) && !has(WORKLOAD_KINDS, kind)
      ? ["list"]
      : ["list", "watch"];
    await t.step(kind.kind, () => assert.deepEqual(verbsOf(EVERYWHERE, kind), expected));
  }
});

Deno.test("the roles have no wildcards but to list in environments, and can bind only the role for these", () => {
  const isListOfAll = ({ resources }: Rule) => resources.includes("*");
  assert.deepEqual(INSIDE.filter(isListOfAll), [
    { apiGroups: ["*"], resources: ["*"], verbs: ["list"] },
  ]);
  const all = [...EVERYWHERE, ...INSIDE.filter((rule) => !isListOfAll(rule))];
  const granted = all.flatMap(({ apiGroups, resources, verbs }) => [
    ...[...apiGroups, ...resources, ...verbs],
  ]);
  for (const dangerous of ["*", "escalate", "impersonate", "serviceaccounts/token", "pods/exec"]) {
    assert.equal(granted.includes(dangerous), false, dangerous);
  }
  const about = all.filter(({ apiGroups }) => apiGroups.includes("rbac.authorization.k8s.io"));
  assert.deepEqual(
    about.map(({ resources, resourceNames, verbs }) => [
      resources,
      resourceNames ?? [],
      verbs,
    ]),
    [
      [["rolebindings"], [], ["get", "create", "patch"]],
      [["clusterroles"], ["mpc-environment"], ["bind"]],
    ],
  );
});
