import { Buffer } from "node:buffer";
import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import {
  Client,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorAdviceSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
  StatusSchema,
} from "@mpc/proto";
import { isEncrypted } from "./connect_options.ts";
import { secureChannel } from "./grpc_channel.ts";
import type { TlsFiles } from "./tls_fetch.ts";

const DETAILS = createRegistry(
  ErrorInfoSchema,
  ErrorAdviceSchema,
  BadRequestSchema,
  RetryInfoSchema,
);

/** Connect's transport over grpc-js, for `grpc://` and `grpcs://` addresses. */
export function createGrpcTransport(
  server: URL,
  options: { readonly tls?: TlsFiles | undefined; readonly client?: ClientOptions } = {},
): Transport & { close: () => void } {
  const channel = isEncrypted(server)
    ? secureChannel(server, options.tls ?? {})
    : credentials.createInsecure();
  const client = new Client(server.host, channel, options.client);
  return {
    close: () => client.close(),
    unary: (method, signal, timeoutMs, header, input) =>
      unary(client, method, signal, timeoutMs, header, input),
    stream: (method, signal, timeoutMs, header, input) =>
      stream(client, method, signal, timeoutMs, header, input),
  };
}

function unary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: MessageInitShape<I>,
): Promise<UnaryResponse<I, O>> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      pathOf(method),
      serializer(method.input),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, input),
      metadataOf(header),
      deadlineOf(timeoutMs),
      (error, message) => {
        signal?.removeEventListener("abort", cancel);
        if (error) return reject(toConnectError(error));
        if (message === undefined) return reject(new ConnectError("no answer", Code.Internal));
        resolve({
          stream: false,
          service: method.parent,
          method,
          header: new Headers(),
          trailer: new Headers(),
          message,
        });
      },
    );
    const cancel = () => call.cancel();
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

async function stream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodStreaming<I, O>,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: AsyncIterable<MessageInitShape<I>>,
): Promise<StreamResponse<I, O>> {
  if (method.methodKind !== "server_streaming") {
    throw new ConnectError(`${method.name} is no server stream`, Code.Unimplemented);
  }
  const first = await input[Symbol.asyncIterator]().next();
  const call = client.makeServerStreamRequest(
    pathOf(method),
    serializer(method.input),
    (bytes: Buffer) => fromBinary(method.output, bytes),
    create(method.input, first.value),
    metadataOf(header),
    deadlineOf(timeoutMs),
  );
  // Emitted once, maybe before the first read, which would otherwise see a normal end.
  let failure: Error | undefined;
  call.on("error", (error) => failure ??= error);
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    await begun(call);
  } catch (error) {
    throw isServiceError(error) ? toConnectError(error) : error;
  }
  async function* messages(): AsyncGenerator<MessageShape<O>> {
    try {
      for await (const message of call) yield message;
      if (failure) throw failure;
    } catch (error) {
      throw isServiceError(error) ? toConnectError(error) : error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      call.cancel();
    }
  }
  return {
    stream: true,
    service: method.parent,
    method,
    header: new Headers(),
    trailer: new Headers(),
    message: messages(),
  };
}

/** Resolves when the server's headers arrive: it has accepted the call. */
function begun(call: ClientReadableStream<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    call.once("metadata", () => resolve());
    call.once("error", reject);
    call.once("end", () => resolve());
  });
}

function pathOf(method: DescMethodUnary | DescMethodStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serializer<Desc extends DescMessage>(desc: Desc) {
  return (message: MessageShape<Desc>) => Buffer.from(toBinary(desc, message));
}

function metadataOf(header: HeadersInit | undefined): Metadata {
  const metadata = new Metadata();
  new Headers(header).forEach((value, key) => metadata.set(key, value));
  return metadata;
}

function deadlineOf(timeoutMs: number | undefined): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}

function toConnectError(error: ServiceError): ConnectError {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const sent = bytes instanceof Uint8Array ? fromBinary(StatusSchema, bytes).details : [];
  // Our API sends details with every error; UNAVAILABLE without details comes from grpc-js.
  const code = error.code as number as Code;
  const cause = code === Code.Unavailable && sent.length === 0 ? error : undefined;
  const result = new ConnectError(error.details, code, undefined, undefined, cause);
  for (const any of sent) {
    const message = anyUnpack(any, DETAILS);
    const desc = message && DETAILS.getMessage(message.$typeName);
    if (desc) result.details.push({ desc, value: message });
  }
  return result;
}
