import assert from "node:assert/strict";
import { aWorkloadIntent, ENVIRONMENT_INTENTS } from "../../../../tests/fakes/intents.ts";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import {
  type KubernetesObject,
  renderNamespace,
  renderWorkload,
  TRACEPARENT,
} from "../render/mod.ts";
import { annotateTrace } from "./trace_annotation.ts";

const [FIRST, SECOND] = ["a", "b"].map((digit) => `00-${digit.repeat(32)}-${"c".repeat(16)}-01`);

const revision = (revision: number) =>
  renderWorkload(aWorkloadIntent({ image: "web:1", ports: [{ port: 80 }] }, { revision }));

const byText = (objects: readonly LiveObject[]) =>
  new Map(objects.map((object) => [textOf(refOf(object)), object]));

const tracesOf = (objects: readonly KubernetesObject[]) =>
  objects.flatMap(({ kind, metadata }) => {
    const trace = metadata.annotations?.[TRACEPARENT];
    return trace === undefined ? [] : [[kind, trace]];
  });

Deno.test("the trace is on the controller of a revision, and nowhere else", () => {
  const made = annotateTrace(revision(1), new Map(), FIRST!);
  assert.deepEqual(tracesOf(made), [["Deployment", FIRST]]);
});

Deno.test("an object that is applied again keeps its trace; a new revision has another", () => {
  const made = annotateTrace(revision(1), new Map(), FIRST!);
  assert.deepEqual(annotateTrace(revision(1), byText(made), SECOND!), made);
  assert.deepEqual(annotateTrace(revision(1), byText(made), null), made);
  const next = annotateTrace(revision(2), byText(made), SECOND!);
  assert.deepEqual(tracesOf(next), [["Deployment", SECOND]]);
});

Deno.test("objects that were made without a trace stay without one", () => {
  const made = annotateTrace(revision(1), new Map(), null);
  assert.deepEqual(made, revision(1));
  assert.deepEqual(annotateTrace(revision(1), byText(made), SECOND!), made);
});

Deno.test("a namespace has the trace that created it", () => {
  const rendered = renderNamespace(ENVIRONMENT_INTENTS["environment"]!);
  const made = annotateTrace(rendered, new Map(), FIRST!);
  assert.deepEqual(tracesOf(made), [["Namespace", FIRST]]);
  assert.deepEqual(annotateTrace(rendered, byText(made), SECOND!), made);
});
