/** What the protos say to generators and gateways (AIP-127, 155, 191, 203). */
import assert from "node:assert/strict";
import { type DescField, type DescMessage, type DescMethod, getOption } from "@bufbuild/protobuf";
import * as proto from "./mod.ts";
import { http } from "./gen/google/api/annotations_pb.ts";
import { field_behavior } from "./gen/google/api/field_behavior_pb.ts";
import { field_info, FieldInfo_Format } from "./gen/google/api/field_info_pb.ts";

const SERVICES = [
  proto.AccessService,
  proto.AuditService,
  proto.DiagnosticsService,
  proto.EnvironmentService,
  proto.EventService,
  proto.OperationService,
  proto.TokenService,
  proto.WorkloadService,
];
const METHODS: readonly DescMethod[] = SERVICES.flatMap(({ methods }) => methods);

/** Every message of `mpc.v1` that these hold, themselves included. */
function reachable(messages: Iterable<DescMessage>): ReadonlySet<DescMessage> {
  const found = new Set<DescMessage>();
  const add = (message: DescMessage) => {
    if (found.has(message) || message.file.proto.package !== "mpc.v1") return;
    found.add(message);
    for (const field of message.fields) if (field.message) add(field.message);
  };
  for (const message of messages) add(message);
  return found;
}

/** The HTTP binding of a method: verb, path and body. */
function bindingOf(method: DescMethod) {
  const { pattern: { case: verb, value }, body } = getOption(method, http);
  return { verb, path: typeof value === "string" ? value : "", body };
}

/** The field that a dotted path names. */
function fieldAt(message: DescMessage, path: string): DescField | undefined {
  const [first = "", ...rest] = path.split(".");
  const field = message.fields.find(({ name }) => name === first);
  return rest.length > 0 && field?.message ? fieldAt(field.message, rest.join(".")) : field;
}

Deno.test("every field that a request holds has a behavior", () => {
  const bare = [...reachable(METHODS.map(({ input }) => input))]
    .flatMap(({ fields }) => fields)
    .filter((field) => getOption(field, field_behavior).length === 0);
  assert.deepEqual(bare.map(String), []);
});

Deno.test("request ids and uids are UUIDs", () => {
  const ids = [...reachable(METHODS.flatMap(({ input, output }) => [input, output]))]
    .flatMap(({ fields }) => fields)
    .filter(({ name }) => name === "request_id" || name === "uid");
  assert.ok(ids.length > 8);
  for (const id of ids) {
    assert.equal(getOption(id, field_info).format, FieldInfo_Format.UUID4, String(id));
  }
});

Deno.test("every method has an HTTP binding that no other method has", () => {
  const taken = new Set<string>();
  for (const method of [...METHODS, ...proto.LongRunningOperations.methods]) {
    const { verb, path } = bindingOf(method);
    // google.longrunning gives its WaitOperation none.
    if (verb === undefined && method.parent.file.proto.package !== "mpc.v1") continue;
    const shape = `${verb} ${path.replaceAll(/\{[^=}]*=([^}]*)\}/g, "$1")}`;
    assert.match(path, /^\/(mpc\/)?v1\//, String(method));
    assert.ok(!taken.has(shape), `${method} shares ${shape}`);
    taken.add(shape);
  }
});

Deno.test("what a binding takes from its path and body are fields of the request", () => {
  for (const method of METHODS) {
    const { verb, path, body } = bindingOf(method);
    for (const [, name = ""] of path.matchAll(/\{([^=}]*)=/g)) {
      assert.ok(fieldAt(method.input, name), `${method} has no field '${name}'`);
    }
    assert.ok(body === "" || body === "*" || fieldAt(method.input, body), `body of ${method}`);
    assert.equal(body === "", verb === "get" || verb === "delete", `body of ${method}`);
  }
});

Deno.test("the options for languages are of one kind in all files", () => {
  for (const { file } of SERVICES) {
    const { options } = file.proto;
    assert.match(options?.goPackage ?? "", /;mpcv1$/, file.name);
    assert.equal(options?.javaPackage, "dev.mpc.v1", file.name);
    assert.ok(options.javaMultipleFiles, file.name);
    assert.equal(options.csharpNamespace, "Mpc.V1", file.name);
  }
});
