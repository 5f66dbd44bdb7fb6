import { type DescMethodUnary, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { EnvironmentService, OperationService, WorkloadService } from "@mpc/proto";
import { createGrpcTransport } from "./grpc_transport.ts";

const METHODS: readonly DescMethodUnary[] = [EnvironmentService, WorkloadService, OperationService]
  .flatMap(({ methods }) => methods).filter((method): method is DescMethodUnary =>
    method.methodKind === "unary"
  );

/** Calls a unary method by gRPC, and converts its messages from and to JSON. */
export async function callJsonByGrpc(
  server: URL,
  timeoutMs: number,
  path: string,
  request: object,
): Promise<JsonValue> {
  const method = METHODS.find(({ parent, name }) => `${parent.typeName}/${name}` === path);
  if (!method) throw new TypeError(`there is no unary method '${path}'`);
  const transport = createGrpcTransport(server);
  try {
    const message = fromJson(method.input, request as JsonValue);
    const answer = await transport.unary(method, undefined, timeoutMs, undefined, message);
    return toJson(method.output, answer.message);
  } finally {
    transport.close();
  }
}
