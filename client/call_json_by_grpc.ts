import { type DescMethodUnary, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  EnvironmentService,
  EventSinkService,
  OperationService,
  TokenService,
  WorkloadService,
} from "@mpc/proto";
import { createGrpcTransport } from "./grpc_transport.ts";
import type { TlsFiles } from "./tls_fetch.ts";

const METHODS: readonly DescMethodUnary[] = [
  EnvironmentService,
  WorkloadService,
  OperationService,
  TokenService,
  EventSinkService,
].flatMap(({ methods }) => methods).filter((method): method is DescMethodUnary =>
  method.methodKind === "unary"
);

/** How a call is made by gRPC. */
export interface GrpcCall {
  readonly server: URL;
  readonly tls: TlsFiles | undefined;
  readonly timeoutMs: number;
  readonly header: HeadersInit;
}

/** Calls a unary method by gRPC, and converts its messages from and to JSON. */
export async function callJsonByGrpc(
  { server, tls, timeoutMs, header }: GrpcCall,
  path: string,
  request: object,
): Promise<JsonValue> {
  const method = METHODS.find(({ parent, name }) => `${parent.typeName}/${name}` === path);
  if (!method) throw new TypeError(`there is no unary method '${path}'`);
  const transport = createGrpcTransport(server, { tls });
  try {
    const message = fromJson(method.input, request as JsonValue);
    const answer = await transport.unary(method, undefined, timeoutMs, header, message);
    return toJson(method.output, answer.message);
  } finally {
    transport.close();
  }
}
