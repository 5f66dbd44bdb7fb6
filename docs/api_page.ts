/** The API's page, generated from the protos and their comments: `deno task docs`. */
import { getExtension, hasExtension } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProto,
  type ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { markdownTable } from "./markdown_table.ts";
import { describeProtos } from "../proto/buf.ts";
import { field_behavior, FieldBehavior } from "../proto/gen/google/api/field_behavior_pb.ts";

const HEAD = `# API

Made from the comments in \`proto/mpc/v1\` by \`deno task docs\`; do not edit. The API is shaped by
Google's API Improvement Proposals (https://google.aip.dev). Errors carry one \`ErrorInfo\` with a
reason and metadata ([reasons](reasons.md)), one \`ErrorAdvice\`, bad input a \`BadRequest\` with every bad field, and \`RetryInfo\` where waiting
helps. The same methods are served by gRPC, gRPC-Web, Connect and JSON
(\`POST /mpc.v1.EnvironmentService/ListEnvironments\`; reads also by GET); the JSON is described by the
OpenAPI document that the web door serves at \`/openapi.json\`. The [API guide](api-guide.md) has
examples.
`;

/** Field numbers in google/protobuf/descriptor.proto, which make up the paths of comments. */
const PATH = {
  file: { message: 4, enum: 5, service: 6 },
  message: { field: 2, enum: 4 },
  enum: { value: 2 },
  service: { method: 2 },
} as const;

/** The page's text. */
export async function apiPage(): Promise<string> {
  const { file } = await describeProtos();
  const own = file.filter((found) => found.package === "mpc.v1");
  const pages = own.map((found) => new Page(found));
  return [
    HEAD,
    "## Services\n",
    ...pages.flatMap((page) => page.services()),
    "## Messages\n",
    ...pages.flatMap((page) => page.messages()),
    "## Enums\n",
    ...pages.flatMap((page) => page.enums()),
  ].join("\n");
}

class Page {
  readonly #file: FileDescriptorProto;
  readonly #comments: ReadonlyMap<string, string>;

  constructor(file: FileDescriptorProto) {
    this.#file = file;
    this.#comments = new Map(
      file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [
        path.join("."),
        leadingComments.trim().replaceAll(/\n\s*/g, " "),
      ]),
    );
  }

  services(): readonly string[] {
    return this.#file.service.map((service, index) =>
      this.#service(service, [PATH.file.service, index])
    );
  }

  messages(): readonly string[] {
    return this.#file.messageType.map((message, index) =>
      this.#message(message, [PATH.file.message, index])
    );
  }

  enums(): readonly string[] {
    return this.#file.enumType.map((found, index) => this.#enum(found, [PATH.file.enum, index]));
  }

  #service({ name, method }: ServiceDescriptorProto, path: readonly number[]): string {
    const rows = method.map(({ name, inputType, outputType, serverStreaming }, index) => [
      `\`${name}\``,
      reference(inputType),
      `${serverStreaming ? "stream of " : ""}${reference(outputType)}`,
      this.#comment([...path, PATH.service.method, index]),
    ]);
    return `### ${name}\n\n${this.#comment(path)}\n\n${
      markdownTable(["Method", "Request", "Response", ""], rows)
    }`;
  }

  #message(message: DescriptorProto, path: readonly number[]): string {
    const { name, field, nestedType } = message;
    const maps = new Map(nestedType.map((entry) => [entry.name, entry]));
    const rows = field.map((found, index) => [
      `\`${found.name}\``,
      typeOf(found, maps),
      behaviors(found),
      this.#comment([...path, PATH.message.field, index]),
    ]);
    const fields = rows.length > 0
      ? markdownTable(["Field", "Type", "", ""], rows)
      : "No fields.\n";
    return `### ${name}\n\n${this.#comment(path)}\n\n${fields}`;
  }

  #enum({ name, value }: EnumDescriptorProto, path: readonly number[]): string {
    const rows = value.map(({ name, number }, index) => [
      `\`${name}\``,
      String(number),
      this.#comment([...path, PATH.enum.value, index]),
    ]);
    return `### ${name}\n\n${this.#comment(path)}\n\n${
      markdownTable(["Value", "Number", ""], rows)
    }`;
  }

  #comment(path: readonly number[]): string {
    return this.#comments.get(path.join(".")) ?? "";
  }
}

function typeOf(field: FieldDescriptorProto, maps: ReadonlyMap<string, DescriptorProto>): string {
  const entry = maps.get(field.typeName.split(".").at(-1) ?? "");
  if (entry?.options?.mapEntry) {
    const [key, value] = entry.field;
    return `map of ${typeOf(key!, maps)} to ${typeOf(value!, maps)}`;
  }
  const isReference = field.type === Type.MESSAGE || field.type === Type.ENUM;
  const type = isReference ? reference(field.typeName) : Type[field.type]!.toLowerCase();
  return field.label === Label.REPEATED ? `repeated ${type}` : type;
}

function behaviors({ options }: FieldDescriptorProto): string {
  if (!options || !hasExtension(options, field_behavior)) return "";
  return getExtension(options, field_behavior)
    .map((behavior) => FieldBehavior[behavior]!.toLowerCase().replaceAll("_", " ")).join(", ");
}

/** A link within the page, or the name of a well-known type. */
function reference(typeName: string): string {
  const name = typeName.split(".").at(-1) ?? "";
  return typeName.startsWith(".mpc.v1.") ? `[${name}](#${name.toLowerCase()})` : `\`${name}\``;
}
