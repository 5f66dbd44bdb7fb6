import assert from "node:assert/strict";
import type { LiveObject } from "../client/kube_object.ts";
import { diffObjects } from "./diff.ts";

function deployment(container: object, more: object = {}): LiveObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "dev", ...more },
    spec: { replicas: 1, template: { spec: { containers: [container] } } },
  };
}

const fieldsOf = (before: LiveObject, after: LiveObject) =>
  diffObjects(before, after)?.fields ?? [];

Deno.test("diffObjects() creates a new object, and finds no change in an equal one", () => {
  const object = deployment({ name: "web", image: "nginx:1" });
  assert.deepEqual(diffObjects(undefined, object), {
    action: "CREATE",
    object: "Deployment/dev/web",
    fields: [],
  });
  assert.equal(diffObjects(object, structuredClone(object)), undefined);
});

Deno.test("diffObjects() names list elements by their merge key", () => {
  const fields = fieldsOf(
    deployment({ name: "web", image: "nginx:1", ports: [{ containerPort: 80 }] }),
    deployment({ name: "web", image: "nginx:2", ports: [{ containerPort: 81 }] }),
  );
  assert.deepEqual(fields, [
    {
      path: "spec.template.spec.containers[web].image",
      before: '"nginx:1"',
      after: '"nginx:2"',
    },
    {
      path: "spec.template.spec.containers[web].ports[80].containerPort",
      before: "80",
      after: "",
    },
    {
      path: "spec.template.spec.containers[web].ports[81].containerPort",
      before: "",
      after: "81",
    },
  ]);
});

Deno.test("diffObjects() finds an empty map in a list, which selects everything in a network policy", () => {
  const policy = (ingress: unknown): LiveObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "isolation", namespace: "dev" },
    spec: { podSelector: {}, ingress },
  });
  const closed = policy([{ from: [{ podSelector: {} }] }]);
  assert.deepEqual(fieldsOf(policy([{}]), closed), [
    { path: "spec.ingress[0].from[0].podSelector", before: "", after: "{}" },
  ]);
  const narrowed = policy([{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }]);
  const path = "spec.ingress[0].from[0].podSelector.matchLabels.app";
  assert.deepEqual(fieldsOf(narrowed, closed), [{ path, before: '"web"', after: "" }]);
  assert.deepEqual(fieldsOf(closed, closed), []);
});

Deno.test("diffObjects() ignores the server's fields and our revision", () => {
  const before = deployment({ name: "web" }, { annotations: { "mpc/revision": "1" } });
  const after = deployment({ name: "web" }, {
    uid: "x",
    generation: 4,
    resourceVersion: "9",
    creationTimestamp: "2030-01-01T00:00:00Z",
    managedFields: [{ manager: "mpc" }],
    annotations: { "mpc/revision": "2", "deployment.kubernetes.io/revision": "2" },
  });
  assert.equal(diffObjects(before, { ...after, status: { replicas: 1 } }), undefined);
});

Deno.test("diffObjects() shows only fields that are never secret, if asked to", () => {
  const changed = (image: string, arg: string) => deployment({ name: "web", image, args: [arg] });
  const fields = diffObjects(changed("a:1", "hunter2"), changed("a:2", "hunter3"), "never secret")
    ?.fields ?? [];
  assert.deepEqual(fields.map(({ path, after }) => [path.split(".").at(-1), after]), [
    ["image", '"a:2"'],
    ["args[0]", '"(redacted)"'],
  ]);
});

Deno.test("diffObjects() compares values of variables and Secrets without showing them", () => {
  const withKey = (value: string) => deployment({ name: "web", env: [{ name: "KEY", value }] });
  const secret = (value: string): LiveObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "web" },
    data: { key: value },
  });
  for (const make of [withKey, secret]) {
    const fields = fieldsOf(make("hunter2"), make("hunter3"));
    assert.equal(fields.length, 1);
    assert.deepEqual([fields[0]?.before, fields[0]?.after], ['"(redacted)"', '"(redacted)"']);
  }
});
