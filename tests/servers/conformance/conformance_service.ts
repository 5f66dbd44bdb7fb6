/** The service that Connect's conformance suite calls; it answers as each request says. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  type BidiStreamResponseSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as DefinedError,
  type Header,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type UnaryRequest,
  UnaryRequestSchema,
} from "./gen/service_pb.ts";

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;

/** What the platform does not have is left out: `ClientStream`, and `Unimplemented` by name. */
export const conformanceService: Pick<
  ServiceImpl<typeof ConformanceService>,
  "unary" | "idempotentUnary" | "serverStream" | "bidiStream"
> = {
  async unary(request, context) {
    return { payload: await unaryPayload(request, anyPack(UnaryRequestSchema, request), context) };
  },

  async idempotentUnary(request, context) {
    const packed = anyPack(IdempotentUnaryRequestSchema, request);
    return { payload: await unaryPayload(request, packed, context) };
  },

  async *serverStream(request, context) {
    const { responseDefinition } = request;
    if (!responseDefinition) return;
    setMetadata(responseDefinition, context);
    const info = infoOf(context, [anyPack(ServerStreamRequestSchema, request)]);
    let sent = 0;
    for (const data of responseDefinition.responseData) {
      await delay(responseDefinition.responseDelayMs);
      yield { payload: { data, ...(sent++ === 0 && { requestInfo: info }) } };
    }
    if (responseDefinition.error) {
      throw errorOf(responseDefinition.error, sent === 0 ? info : undefined);
    }
  },

  bidiStream: answerStream,
};

async function unaryPayload(
  { responseDefinition }: Pick<UnaryRequest, "responseDefinition">,
  request: Any,
  context: HandlerContext,
): Promise<Payload> {
  const requestInfo = infoOf(context, [request]);
  if (!responseDefinition) return { requestInfo };
  setMetadata(responseDefinition, context);
  await delay(responseDefinition.responseDelayMs);
  const { response } = responseDefinition;
  if (response.case === "error") throw errorOf(response.value, requestInfo);
  return response.case ? { data: response.value, requestInfo } : { requestInfo };
}

async function* answerStream(
  requests: AsyncIterable<BidiStreamRequest>,
  context: HandlerContext,
): AsyncGenerator<MessageInitShape<typeof BidiStreamResponseSchema>> {
  let first: BidiStreamRequest | undefined;
  let received: Any[] = [];
  let sent = 0;
  for await (const request of requests) {
    received.push(anyPack(BidiStreamRequestSchema, request));
    if (!first) {
      first = request;
      if (request.responseDefinition) setMetadata(request.responseDefinition, context);
    }
    if (!first.fullDuplex) continue;
    const data = first.responseDefinition?.responseData[sent];
    if (!data) break;
    await delay(first.responseDefinition!.responseDelayMs);
    const requestInfo = sent++ === 0
      ? infoOf(context, received)
      : create(ConformancePayload_RequestInfoSchema, { requests: received });
    received = [];
    yield { payload: { data, requestInfo } };
  }
  const definition = first?.responseDefinition;
  if (!definition) return;
  for (const data of definition.responseData.slice(sent)) {
    await delay(definition.responseDelayMs);
    yield {
      payload: { data, ...(sent++ === 0 && { requestInfo: infoOf(context, received) }) },
    };
  }
  if (definition.error) {
    throw errorOf(definition.error, sent === 0 ? infoOf(context, received) : undefined);
  }
}

function setMetadata(
  { responseHeaders, responseTrailers }: {
    readonly responseHeaders: readonly Header[];
    readonly responseTrailers: readonly Header[];
  },
  context: HandlerContext,
): void {
  for (const { name, value } of responseHeaders) {
    for (const one of value) context.responseHeader.append(name, one);
  }
  for (const { name, value } of responseTrailers) {
    for (const one of value) context.responseTrailer.append(name, one);
  }
}

function infoOf(context: HandlerContext, requests: Any[]): ConformancePayload_RequestInfo {
  const timeoutMs = context.timeoutMs();
  const { searchParams } = new URL(context.url);
  const queryParams = context.requestMethod === "GET"
    ? [...searchParams].map(([name, value]) => ({ name, value: [value] }))
    : [];
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: [...context.requestHeader].map(([name, value]) => ({ name, value: [value] })),
    requests,
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.round(timeoutMs)) }),
    ...(queryParams.length > 0 && { connectGetInfo: { queryParams } }),
  });
}

function errorOf(
  { code, message, details }: DefinedError,
  info: ConformancePayload_RequestInfo | undefined,
): ConnectError {
  const error = new ConnectError(message ?? "", Number(code));
  error.details = details.map(({ typeUrl, value }) => ({ type: typeNameOf(typeUrl), value }));
  if (info) error.details.push({ desc: ConformancePayload_RequestInfoSchema, value: info });
  return error;
}

const typeNameOf = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf("/") + 1);

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
