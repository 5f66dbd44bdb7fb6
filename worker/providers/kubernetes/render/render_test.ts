import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { assertGolden } from "../../../../tests/e2e/golden.ts";
import { arbitrarySpec } from "../../../../tests/fakes/arbitrary_spec.ts";
import {
  aWorkloadIntent,
  ENVIRONMENT_INTENTS,
  WORKLOAD_INTENTS,
} from "../../../../tests/fakes/intents.ts";
import { fieldAt } from "../client/kube_object.ts";
import {
  inApplyOrder,
  type KubernetesObject,
  renderNamespace,
  renderPolicies,
  renderWorkload,
} from "./mod.ts";

const yaml = (objects: readonly KubernetesObject[]): string =>
  objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n");

for (const [name, intent] of Object.entries(ENVIRONMENT_INTENTS)) {
  Deno.test(`render: ${name}`, () =>
    assertGolden(
      `kubernetes/${name}.yaml`,
      yaml([...renderNamespace(intent), ...renderPolicies(intent)]),
    ));
}

for (const [name, intent] of Object.entries(WORKLOAD_INTENTS)) {
  Deno.test(`render: ${name}`, () =>
    assertGolden(`kubernetes/${name}.yaml`, yaml(renderWorkload(intent))));
}

const keyOf = ({ kind, metadata }: KubernetesObject) =>
  `${kind}/${metadata.namespace}/${metadata.name}`;

/** DNS labels separated by dots, at most 63 characters in total. */
const NAME = /^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

Deno.test("render: objects of any spec have valid names and our labels, and reveal no secret", () => {
  fc.assert(fc.property(arbitrarySpec(), (spec) => {
    const intent = aWorkloadIntent(spec, { labels: { team: "web" } });
    const objects = renderWorkload(intent);
    assert.equal(new Set(objects.map(keyOf)).size, objects.length, "names are unique");
    assert.deepEqual(
      objects,
      inApplyOrder(objects.toReversed()),
      "the order is a rule, not chance",
    );
    assert.ok(objects.length > 0, "there are objects");
    for (const object of objects) {
      const { name, namespace, labels } = object.metadata;
      assert.match(name, NAME);
      assert.equal(namespace, "dev");
      assert.equal(labels["app.kubernetes.io/managed-by"], "mpc");
      assert.equal(labels["mpc/environment"], "dev");
      assert.equal(labels["mpc/workload"], "web");
      assert.equal(labels["mpc/uid"], intent.uid);
      assert.equal(labels["team"], "web");
      assert.deepEqual(JSON.parse(JSON.stringify(object)), object, "it is JSON");
    }
    const told = JSON.stringify(objects.filter(({ kind }) => kind !== "Secret"));
    assert.doesNotMatch(told, /s3cret|czNjcmV0/, "values stand in the Secret alone");
  }));
});

Deno.test("render: user labels cannot override our labels", () => {
  const labels = { "app.kubernetes.io/managed-by": "me", "app.kubernetes.io/name": "shop" };
  const objects = renderWorkload(aWorkloadIntent({ image: "x:1" }, { labels }));
  assert.ok(objects.length > 0, "there are objects");
  for (const { metadata } of objects) {
    assert.equal(metadata.labels["app.kubernetes.io/managed-by"], "mpc");
    assert.equal(metadata.labels["app.kubernetes.io/name"], "shop");
  }
});

Deno.test("render: pods are replaced when a variable or the restart token changes, not when scaled", () => {
  const template = (spec: object, overrides = {}) => {
    const objects = renderWorkload(aWorkloadIntent({ image: "x:1", ...spec }, overrides));
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    return JSON.stringify(fieldAt(deployment, "spec", "template"));
  };
  const env = { KEY: "1" };
  assert.equal(template({ env }), template({ env, replicas: 5 }, { revision: 2 }));
  assert.notEqual(template({ env }), template({ env: { KEY: "2" } }));
  assert.notEqual(template({ env }), template({ env }, { restartToken: "again" }));
  assert.notEqual(template({ env }), template({ env }, { uid: "another" }), "the uid is salt");
});

Deno.test("render: a chart is rejected", () => {
  const intent = aWorkloadIntent({ chart: { name: "web", version: "1.0.0" } });
  assert.throws(() => renderWorkload(intent), { reason: "CHARTS_UNSUPPORTED" });
});

Deno.test("inApplyOrder() puts referenced kinds first and unknown kinds last", () => {
  const object = (kind: string, name: string) => ({ kind, metadata: { name, labels: {} } });
  const shuffled = [object("Widget", "a"), object("Ingress", "a"), object("Deployment", "b")];
  const ordered = inApplyOrder([...shuffled, object("Deployment", "a"), object("Namespace", "z")]);
  assert.deepEqual(ordered.map(({ kind, metadata }) => `${kind}/${metadata.name}`), [
    "Namespace/z",
    "Deployment/a",
    "Deployment/b",
    "Ingress/a",
    "Widget/a",
  ]);
});
