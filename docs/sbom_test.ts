import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { sbomOf } from "./sbom.ts";

const lockText = await readFile(new URL("../deno.lock", import.meta.url), "utf8");

const licenseOf = (name: string) =>
  Promise.resolve(name === "ajv" ? "MIT" : name === "zod" ? "MIT OR Apache-2.0" : undefined);

Deno.test("the bill of materials is valid CycloneDX, with every package of the lock file once", async () => {
  const text = await sbomOf(lockText, licenseOf);
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(text), null);
  assert.notEqual(await validator.validate(text.replace("SHA-512", "SHA-513")), null);
  const { components, dependencies } = JSON.parse(text);
  const refs: string[] = components.map((component: { "bom-ref": string }) => component["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length);
  const keys = Object.keys(JSON.parse(lockText).npm);
  assert.deepEqual(new Set(refs), new Set(keys.map((key) => key.replace(/(?<=@[^@/]+)_.*$/, ""))));
  const known = new Set([...refs, dependencies[0].ref]);
  const named = dependencies.flatMap((each: { dependsOn: string[] }) => each.dependsOn);
  assert.deepEqual(named.filter((ref: string) => !known.has(ref)), []);
  const reachable = new Set<string>();
  const edges = new Map(
    dependencies.map((each: { ref: string; dependsOn: string[] }) => [each.ref, each.dependsOn]),
  );
  const visit = (ref: string) => {
    if (reachable.has(ref)) return;
    reachable.add(ref);
    (edges.get(ref) as string[]).forEach(visit);
  };
  visit(dependencies[0].ref);
  assert.deepEqual(refs.filter((ref) => !reachable.has(ref)), [], "somebody needs every package");
});

Deno.test("a package has its scope, hash, license and package URL", async () => {
  const { components } = JSON.parse(await sbomOf(lockText, licenseOf));
  const of = (wanted: RegExp) =>
    components.find((component: { purl: string }) => wanted.test(component.purl));
  const { integrity } = JSON.parse(lockText).npm["@bufbuild/protobuf@2.17.0"];
  const protobuf = of(/%40bufbuild\/protobuf@/);
  assert.equal(protobuf.group, "@bufbuild");
  assert.equal(protobuf.name, "protobuf");
  assert.equal(protobuf.purl, "pkg:npm/%40bufbuild/protobuf@2.17.0");
  assert.deepEqual(protobuf.hashes, [{
    alg: "SHA-512",
    content: Uint8Array.fromBase64(integrity.slice(7)).toHex(),
  }]);
  assert.deepEqual(of(/npm\/ajv@/).licenses, [{ expression: "MIT" }]);
  assert.equal(of(/npm\/zod@/).licenses[0].expression, "MIT OR Apache-2.0");
});

Deno.test("the same lock file gives the same bytes, in whatever order its packages are", async () => {
  const lock = JSON.parse(lockText);
  const reversed = { ...lock, npm: Object.fromEntries(Object.entries(lock.npm).toReversed()) };
  assert.equal(
    await sbomOf(lockText, licenseOf),
    await sbomOf(JSON.stringify(reversed), licenseOf),
  );
});
