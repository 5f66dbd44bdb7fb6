/** JSON Schemas of messages, as ProtoJSON writes them ("ProtoJSON Format", protobuf.dev). */
import {
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  getOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { field_behavior, FieldBehavior } from "../../proto/gen/google/api/field_behavior_pb.ts";
import { field_info, FieldInfo_Format } from "../../proto/gen/google/api/field_info_pb.ts";

export type Schema = { readonly [key: string]: unknown };

export const SCHEMAS = "#/components/schemas/";

/** The schema of an array of bytes, which JSON writes in base64. */
export const BYTES: Schema = { type: "string", contentEncoding: "base64" };

/** Well-known types that have a form of their own in JSON. */
const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string", examples: ["type.googleapis.com/mpc.v1.Operation"] } },
    required: ["@type"],
    description: "A message, with its type in `@type`.",
  },
  "google.protobuf.Duration": {
    type: "string",
    pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$",
    description: "Seconds, for instance `1.5s`.",
  },
  "google.protobuf.Empty": { type: "object", additionalProperties: false },
  "google.protobuf.FieldMask": {
    type: "string",
    description: "Paths of fields in lowerCamelCase, with commas between them.",
  },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
};

const INTEGER: Schema = { type: "integer", format: "int32" };
const LONG: Schema = { type: "string", pattern: "^-?[0-9]+$" };

const SCALARS: Partial<Record<ScalarType, Schema>> = {
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.BYTES]: BYTES,
  [ScalarType.INT32]: INTEGER,
  [ScalarType.SINT32]: INTEGER,
  [ScalarType.INT64]: LONG,
  [ScalarType.SINT64]: LONG,
  [ScalarType.UINT64]: { type: "string", pattern: "^[0-9]+$" },
};

/** The comment of a descriptor: its paragraphs, without references that only protos know. */
export function commentOf(desc: Parameters<typeof getComments>[0]): string {
  const paragraphs = (getComments(desc).leading ?? "").trim().split(/\n\s*\n/);
  return paragraphs.map((text) => text.trim().replaceAll(/\s*\n\s*/g, " ")).join("\n\n")
    .replaceAll(/\[([^\]]+)\]\[[^\]]*\]/g, "`$1`");
}

/** Collects the schemas of the messages and enums that a document refers to. */
export class Schemas {
  readonly #found: Record<string, Schema> = {};
  /** Messages that answers hold, of which a read mask may leave anything out. */
  readonly #answers = new Set<DescMessage>();

  constructor(methods: Iterable<DescMethod>) {
    for (const { output } of methods) this.#markAnswer(output);
  }

  /** The schemas by name, in the order of their names. */
  get components(): Schema {
    return Object.fromEntries(
      Object.entries(this.#found).sort(([one], [other]) => one < other ? -1 : 1),
    );
  }

  /** The schema of a message; a reference, where it has no form of its own in JSON. */
  message(message: DescMessage): Schema {
    const { typeName } = message;
    const wellKnown = WELL_KNOWN[typeName];
    if (wellKnown) return wellKnown;
    if (typeName.startsWith("google.protobuf.")) {
      throw new TypeError(`Cannot describe ${typeName}: its JSON form is not known here`);
    }
    // Entered before its fields, which may refer to it.
    if (!this.#found[typeName]) {
      this.#found[typeName] = {};
      this.#found[typeName] = this.#object(message);
    }
    return { $ref: SCHEMAS + typeName };
  }

  #object(message: DescMessage): Schema {
    const required = this.#answers.has(message) ? [] : message.fields
      .filter((field) => behaviorsOf(field).includes(FieldBehavior.REQUIRED))
      .map(({ jsonName }) => jsonName);
    const oneofs = message.oneofs.map(atMostOne);
    return {
      type: "object",
      ...described(commentOf(message)),
      properties: Object.fromEntries(
        message.fields.map((field) => [field.jsonName, this.#field(field)]),
      ),
      ...(required.length > 0 && { required }),
      ...(oneofs.length > 0 && { allOf: oneofs }),
      additionalProperties: false,
    };
  }

  #field(field: DescField): Schema {
    const behaviors = behaviorsOf(field);
    const { format } = getOption(field, field_info);
    return {
      ...this.#type(field),
      ...(format === FieldInfo_Format.UUID4 && { format: "uuid" }),
      ...described(commentOf(field)),
      ...(behaviors.includes(FieldBehavior.OUTPUT_ONLY) && { readOnly: true }),
      ...(behaviors.includes(FieldBehavior.INPUT_ONLY) && { writeOnly: true }),
      ...(field.proto.options?.deprecated && { deprecated: true }),
    };
  }

  #type(field: DescField): Schema {
    switch (field.fieldKind) {
      case "list":
        return { type: "array", items: this.#value(field) };
      case "map":
        return { type: "object", additionalProperties: this.#value(field) };
      default:
        return this.#value(field);
    }
  }

  /** The schema of one value of a field. */
  #value({ message, enum: enumeration, scalar, ...field }: DescField): Schema {
    if (message) return this.message(message);
    if (enumeration) return this.#enum(enumeration);
    const schema = scalar && SCALARS[scalar];
    if (!schema) {
      throw new TypeError(`Cannot describe field ${field.name}: its type has no schema here`);
    }
    return schema;
  }

  #enum(enumeration: DescEnum): Schema {
    const { typeName, values } = enumeration;
    const told = (value: DescEnumValue) => `- \`${value.name}\`: ${commentOf(value)}`;
    this.#found[typeName] ??= {
      type: "string",
      description: [commentOf(enumeration), "", ...values.map(told)].join("\n"),
      enum: values.map(({ name }) => name),
    };
    return { $ref: SCHEMAS + typeName };
  }

  #markAnswer(message: DescMessage): void {
    if (this.#answers.has(message)) return;
    this.#answers.add(message);
    for (const field of message.fields) if (field.message) this.#markAnswer(field.message);
  }
}

const behaviorsOf = (field: DescField): readonly FieldBehavior[] =>
  getOption(field, field_behavior);

const described = (description: string): Schema => description === "" ? {} : { description };

/** At most one member of a oneof is set. */
function atMostOne({ fields }: DescOneof): Schema {
  const set = fields.map(({ jsonName }) => ({ required: [jsonName] }));
  return { oneOf: [...set, { not: { anyOf: set } }] };
}
