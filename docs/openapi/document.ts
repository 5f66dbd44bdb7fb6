/** The OpenAPI document of the web door's JSON, made from the protos: `deno task docs`. */
import { createFileRegistry, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import { VERSION } from "@mpc/process";
import { describeProtos } from "../../proto/buf.ts";
import { ERROR_EXAMPLE, EXAMPLES } from "./examples.ts";
import { BYTES, commentOf, type Schema, SCHEMAS, Schemas } from "./schemas.ts";

/** What the web door serves, in the order of the document; reflection is for gRPC clients alone. */
export const DESCRIBED_SERVICES = [
  "mpc.v1.EnvironmentService",
  "mpc.v1.WorkloadService",
  "mpc.v1.OperationService",
  "mpc.v1.EventService",
  "mpc.v1.AuditService",
  "mpc.v1.DiagnosticsService",
  "mpc.v1.AccessService",
  "mpc.v1.TokenService",
  "mpc.v1.EventSinkService",
  "google.longrunning.Operations",
  "grpc.health.v1.Health",
] as const;

const DESCRIPTION = `The JSON of the web door: each method is a \`POST\` of its request to
\`/PACKAGE.SERVICE/METHOD\`, by the [Connect protocol](https://connectrpc.com/docs/protocol).

- Fields have their names in lowerCamelCase; requests may have the names of the protos too. A field
  with its default value (\`0\`, \`""\`, \`false\`, empty) is left out of answers. A request with an
  unknown field is refused.
- 64-bit integers are strings. Enums are names; requests may have numbers too.
- Streams of answers have the type \`application/connect+json\`: each message, and so the request, is in
  an envelope of one byte of flags (0) and four bytes of length, the highest first. The last message
  has the flag 2 and is a \`connect.EndStream\`; the HTTP status is 200 also where it holds an error.
- Act on the \`code\` of an error and on the \`reason\` of its \`google.rpc.ErrorInfo\`, never on text.
- The \`google.api.http\` bindings of the protos are for gateways, and are not served here.
`;

/** The document as it is committed and served. */
export async function openApiText(): Promise<string> {
  return `${JSON.stringify(await openApi(), null, 1)}\n`;
}

async function openApi(): Promise<Schema> {
  const registry = createFileRegistry(await describeProtos());
  const services = DESCRIBED_SERVICES.map((name) => {
    const service = registry.getService(name);
    if (!service) throw new Error(`Cannot describe ${name}: the protos have no such service`);
    return service;
  });
  const methods = services.flatMap(({ methods }) => methods);
  const schemas = new Schemas(methods);
  const paths = Object.fromEntries(
    methods.map((method) => [pathOf(method), item(method, schemas)]),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "mini platform control plane",
      summary: "Environments, workloads and the operations that change them.",
      description: DESCRIPTION,
      version: VERSION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The web door that serves this document." }],
    // Nobody has to log in while the server listens to its own machine only.
    security: [],
    tags: services.map(tagOf),
    paths,
    components: {
      schemas: { ...schemas.components, ...CONNECT_SCHEMAS },
      parameters: PARAMETERS,
      responses: { Error: ERROR_RESPONSE },
    },
  };
}

const pathOf = ({ parent, name }: DescMethod): string => `/${parent.typeName}/${name}`;

const tagOf = (service: DescService): Schema => ({
  name: service.typeName,
  description: commentOf(service),
});

/** What can be asked at the path of a method. */
function item(method: DescMethod, schemas: Schemas): Schema {
  const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return {
    ...(method.methodKind === "unary" && isRead && { get: byGet(method, schemas) }),
    post: byPost(method, schemas),
  };
}

function byPost(method: DescMethod, schemas: Schemas): Schema {
  const [input, output] = [schemas.message(method.input), schemas.message(method.output)];
  const streams = method.methodKind === "server_streaming";
  const example = EXAMPLES[pathOf(method)];
  return {
    ...about(method, ""),
    parameters: POST_PARAMETERS,
    requestBody: {
      required: true,
      content: streams
        ? enveloped(method.input.typeName, input)
        : { "application/json": { schema: input, ...(example && { example }) } },
    },
    responses: answers(streams ? enveloped(method.output.typeName, output) : json(output)),
  };
}

/** Connect's form of reads that caches understand. */
function byGet(method: DescMethod, schemas: Schemas): Schema {
  const example = EXAMPLES[pathOf(method)];
  const content = {
    "application/json": {
      schema: schemas.message(method.input),
      ...(example && { example }),
    },
  };
  return {
    ...about(method, "_get"),
    parameters: [
      { name: "message", in: "query", required: true, description: "The request.", content },
      { name: "encoding", in: "query", required: true, schema: { const: "json" } },
      { name: "connect", in: "query", schema: { const: "v1" } },
      ...CALL_PARAMETERS,
    ],
    responses: answers(json(schemas.message(method.output))),
  };
}

function about(method: DescMethod, suffix: string): Schema {
  const comment = commentOf(method);
  const service = method.parent.typeName.split(".").at(-1);
  return {
    tags: [method.parent.typeName],
    operationId: `${service}_${method.name}${suffix}`,
    summary: method.name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "),
    description: comment,
    ...(method.proto.options?.deprecated && { deprecated: true }),
  };
}

const json = (schema: Schema): Schema => ({ "application/json": { schema } });

/** OpenAPI 3.1 has no schema for streams of messages: an extension names that of each message. */
const enveloped = (typeName: string, schema: Schema): Schema => ({
  "application/connect+json": {
    schema: {
      description: `Envelopes, as the document's description says, with a \`${typeName}\` in each.`,
      "x-envelope-message": schema,
    },
  },
});

const answers = (content: Schema): Schema => ({
  "200": { description: "The answer.", content },
  "4XX": { $ref: "#/components/responses/Error" },
  "5XX": { $ref: "#/components/responses/Error" },
});

const CALL_PARAMETERS: readonly Schema[] = ["Connect-Timeout-Ms", "traceparent"]
  .map((name) => ({ $ref: `#/components/parameters/${name}` }));

const POST_PARAMETERS: readonly Schema[] = [
  { $ref: "#/components/parameters/Connect-Protocol-Version" },
  ...CALL_PARAMETERS,
];

const PARAMETERS: Schema = {
  "Connect-Protocol-Version": {
    name: "Connect-Protocol-Version",
    in: "header",
    description: "May be left out.",
    schema: { const: "1" },
  },
  "Connect-Timeout-Ms": {
    name: "Connect-Timeout-Ms",
    in: "header",
    description: "The call's deadline, in milliseconds from now.",
    schema: { type: "string", pattern: "^[0-9]{1,10}$" },
  },
  "traceparent": {
    name: "traceparent",
    in: "header",
    description: "The trace that the call belongs to (W3C Trace Context).",
    schema: { type: "string" },
  },
};

const CODES = Object.values(Code).filter((code): code is Code => typeof code === "number");

const CONNECT_SCHEMAS: Schema = {
  "connect.EndStream": {
    type: "object",
    description: "The last message of a stream.",
    properties: {
      error: { $ref: `${SCHEMAS}connect.Error`, description: "Why the stream failed." },
      metadata: {
        type: "object",
        description: "Trailers.",
        additionalProperties: { type: "array", items: { type: "string" } },
      },
    },
  },
  "connect.Error": {
    type: "object",
    description: "Why a call failed (AIP-193).",
    properties: {
      code: {
        type: "string",
        description: [
          "The gRPC code. Its HTTP status:",
          "",
          ...CODES.map((code) => `- \`${codeToString(code)}\`: ${codeToHttpStatus(code)}`),
          "",
          "What is no call has another status: 404 for an unknown path, 405 and 415 for a wrong HTTP " +
          "method and content type, 421 for an unknown host.",
        ].join("\n"),
        enum: CODES.map(codeToString),
      },
      message: { type: "string", description: "Why, for people." },
      details: {
        type: "array",
        description: "A `google.rpc.ErrorInfo`, a `google.rpc.BadRequest` for bad input, and a " +
          "`google.rpc.RetryInfo` where waiting helps.",
        items: { $ref: `${SCHEMAS}connect.ErrorDetail` },
      },
    },
    required: ["code"],
  },
  "connect.ErrorDetail": {
    type: "object",
    properties: {
      type: { type: "string", description: "Full name of the message." },
      value: { ...BYTES, description: "The message in the binary format, in base64." },
      debug: { type: "object", description: "The message as JSON." },
    },
    required: ["type", "value"],
  },
};

const ERROR_RESPONSE: Schema = {
  description: "The call failed.",
  content: {
    "application/json": {
      schema: { $ref: `${SCHEMAS}connect.Error` },
      example: ERROR_EXAMPLE,
    },
  },
};
