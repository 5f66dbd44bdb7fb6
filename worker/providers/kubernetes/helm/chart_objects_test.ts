import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { chartObjects } from "./chart_objects.ts";
import { DEFAULT_HELM_OPTIONS, type HelmOptions } from "./helm_options.ts";

const ref = { workload: "web", chart: "web" };

const read = (output: string, options: Partial<HelmOptions> = {}) =>
  chartObjects({ ...DEFAULT_HELM_OPTIONS, ...options }, ref, "dev", output);

const object = (kind: string, more = "", apiVersion = "v1") =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: a${more} }\n`;

const hook = ', annotations: { "helm.sh/hook": pre-install }';

/** Aliases that expand to a hundred million values in a few lines. */
const BOMB = Array.from(
  { length: 8 },
  (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(n === 0 ? "x" : `*a${n}`).join(", ")}]\n`,
).join("");

const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  [
    "a kind of another API group",
    object("Service", "", "x.dev/v1"),
    "CHART_KIND_REFUSED",
    /x\.dev/,
  ],
  ["a hook", object("Job", hook), "CHART_HOOK_REFUSED", /Job\/a .* is a hook \(pre-install\)/],
  ["a cluster-scoped kind", object("ClusterRole"), "CHART_KIND_REFUSED", /makes ClusterRole\/a/],
  ["an unknown kind", object("Widget"), "CHART_KIND_REFUSED", /allow the kind/],
  ["a kind that restricts the environment", object("NetworkPolicy"), "CHART_KIND_REFUSED", /./],
  [
    "another namespace",
    object("Secret", ", namespace: kube-system"),
    "CHART_NAMESPACE_REFUSED",
    /for namespace 'kube-system', must be for 'dev'/,
  ],
  ["an object twice", object("Secret") + object("Secret"), "CHART_OUTPUT_INVALID", /twice/],
  [
    "a document that is not an object",
    "--- \njust: text\n",
    "CHART_OUTPUT_INVALID",
    /lacks apiVersion/,
  ],
  [
    "labels that are not strings",
    object("Secret", ", labels: { a: 1 }"),
    "CHART_OUTPUT_INVALID",
    /./,
  ],
  [
    "a missing name",
    "apiVersion: v1\nkind: Secret\nmetadata: {}\n",
    "CHART_OUTPUT_INVALID",
    /./,
  ],
  ["aliases that expand exponentially", BOMB, "CHART_OUTPUT_INVALID", /alias count/],
  ["invalid YAML", "a: b\n  c: [\n", "CHART_OUTPUT_INVALID", /line \d+ is not valid YAML/],
  [
    "too many objects",
    Array.from({ length: 201 }, (_, n) => object("Secret").replace("a }", `a${n} }`)).join(""),
    "CHART_OUTPUT_INVALID",
    /it contains 201, at most 200/,
  ],
  [
    "a kind hidden in a List",
    `kind: List\nitems: [${"{kind: Node}"}]`,
    "CHART_OUTPUT_INVALID",
    /./,
  ],
];

for (const [title, output, reason, message] of REFUSED) {
  Deno.test(`chartObjects() rejects ${title}`, () => {
    assert.throws(() => read(output), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.code, error.reason], ["FAILED_PRECONDITION", reason]);
      assert.match(error.message, message);
      assert.equal(error.retryable, false);
      return true;
    });
  });
}

Deno.test("chartObjects() accepts hooks and kinds that are allowed", () => {
  const output = object("Job", hook, "batch/v1") + object("Widget") + object("ClusterRole");
  const allowed = {
    allowHooks: true,
    allowedKinds: [{ apiVersion: "v1", kind: "Widget" }],
    allowedClusterKinds: [{ apiVersion: "v1", kind: "ClusterRole" }],
  };
  assert.deepEqual(read(output, allowed).map(({ kind }) => kind), ["Job", "Widget", "ClusterRole"]);
});

Deno.test("chartObjects() parses YAML like Kubernetes", () => {
  const [read1] = read(
    "# Source: x\n---\n\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" +
      "spec: { on: yes, mode: 0644, time: 12:30, date: 2030-01-02, text: '0644', twice: 1, twice: 2 }\n",
  );
  assert.deepEqual(read1?.["spec"], {
    "true": true,
    mode: 420,
    time: "12:30",
    date: "2030-01-02",
    text: "0644",
    twice: 2,
  });
});

Deno.test("chartObjects() replaces a List by its items, and skips empty documents", () => {
  const item = "{ apiVersion: v1, kind: Secret, metadata: { name: a } }";
  assert.deepEqual(read(`---\n---\napiVersion: v1\nkind: List\nitems: [${item}]\n`).length, 1);
  assert.deepEqual(read(""), []);
});
