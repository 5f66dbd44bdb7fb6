import {
  createRegistry,
  type DescFile,
  type MessageInitShape,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import {
  ErrorInfoSchema,
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
  ServerReflectionV1Alpha,
} from "@mpc/proto";
import { filesOf } from "./files_of.ts";
import { type Route, route } from "./route.ts";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;

/** The reflection service under both of its names, for these routes and for itself. */
export function reflectionRoutes(routes: readonly Route[]): readonly Route[] {
  const own = [ServerReflection, ServerReflectionV1Alpha];
  const services = [...routes.map(({ service }) => service), ...own];
  // Error details are not part of any method's signature.
  const descriptors = new Descriptors([...services, ErrorInfoSchema].map(({ file }) => file));
  const answerTo = ({ messageRequest: question }: ServerReflectionRequest): Answer => {
    switch (question.case) {
      case "listServices": {
        const service = services.map(({ typeName }) => ({ name: typeName }));
        return { case: "listServicesResponse", value: { service } };
      }
      case "fileByFilename":
        return files(descriptors.fileNamed(question.value), question.value);
      case "fileContainingSymbol":
        return files(descriptors.fileOf(question.value), question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const [extension] = descriptors.extensions(containingType)
          .filter(({ number }) => number === extensionNumber);
        return files(extension?.file, `${containingType} ${extensionNumber}`);
      }
      case "allExtensionNumbersOfType": {
        const extensionNumber = descriptors.extensions(question.value).map(({ number }) => number);
        const value = { baseTypeName: question.value, extensionNumber };
        return { case: "allExtensionNumbersResponse", value };
      }
      default:
        return failed(Code.InvalidArgument, "the request asks nothing that is known");
    }
  };
  const implementation: ServiceImpl<typeof ServerReflection> = {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: answerTo(request),
        };
      }
    },
  };
  // The two services differ only in the name of their package.
  const current = route(ServerReflection, implementation);
  return [current, { ...current, service: ServerReflectionV1Alpha }];
}

/** The files of all services, and an index of their contents. */
class Descriptors {
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: Registry;

  constructor(files: readonly DescFile[]) {
    this.#files = new Map([...filesOf(files)].map((file) => [file.name, file]));
    this.#registry = createRegistry(...this.#files.values());
  }

  fileNamed(name: string): DescFile | undefined {
    return this.#files.get(name.replace(/\.proto$/, ""));
  }

  /** The file of a type; for a method or field, the file of its parent. */
  fileOf(symbol: string): DescFile | undefined {
    for (let name = symbol; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
      const found = this.#registry.get(name);
      if (found) return found.file;
    }
    return undefined;
  }

  extensions(message: string): readonly { readonly number: number; readonly file: DescFile }[] {
    return [...this.#registry].filter((found) => found.kind === "extension")
      .filter(({ extendee }) => extendee.typeName === message);
  }
}

function files(file: DescFile | undefined, asked: string): Answer {
  if (!file) return failed(Code.NotFound, `there is nothing called '${asked}'`);
  const fileDescriptorProto = [...filesOf([file])].map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto)
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function failed(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
