import assert from "node:assert/strict";
import { isImageReference } from "./image.ts";

const digest = `@sha256:${"a".repeat(64)}`;

for (
  const good of [
    "nginx",
    "nginx:1.27",
    "library/nginx",
    "registry.example.com:5000/team/app:v1",
    `nginx${digest}`,
    `localhost/a/b_c/d--e:T_1${digest}`,
  ]
) {
  Deno.test(`'${good.slice(0, 60)}' is an image reference`, () =>
    assert.ok(isImageReference(good)));
}

for (
  const bad of [
    "",
    "Nginx",
    "nginx:",
    "nginx: 1",
    ":1",
    "a//b",
    "a/",
    "nginx@sha256:short",
    `nginx:${"x".repeat(129)}`,
    "x".repeat(256),
    "nginx;rm -rf",
  ]
) {
  Deno.test(`'${bad.slice(0, 60)}' is not an image reference`, () =>
    assert.ok(!isImageReference(bad)));
}
