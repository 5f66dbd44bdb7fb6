import { ServerInterceptingCall, type ServerInterceptor, status as Status } from "@grpc/grpc-js";
import { grpcMessage } from "../status_message.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { DETAILS, statusOf } from "./status.ts";
import { WireMetadata } from "./wire_metadata.ts";

/** What clients take: grpc-java takes a larger block for a broken connection. */
const MAX_TRAILER_BYTES = 8_000;

type PartialStatus = Parameters<ServerInterceptingCall["sendStatus"]>[0];

/**
 * Tells what grpc-js itself refuses as everything else is told: with an `ErrorInfo`, and as the
 * caller's fault where it is one. grpc-js says INTERNAL of what it cannot decompress and of a
 * timeout that is none, and says it to the innermost call, past what interceptors may answer; so
 * it is that call whose method is wrapped.
 */
export const explainRefusals: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  const sendMetadata = call.sendMetadata.bind(call);
  call.sendStatus = (status) => sendStatus(asSent(explained(status)));
  call.sendMetadata = (metadata) => sendMetadata(WireMetadata.of(metadata));
  return new ServerInterceptingCall(call);
};

/** A status as gRPC has it: success has no message. */
function asSent(status: PartialStatus): PartialStatus {
  const { code, details, metadata } = status;
  const message = code === Status.OK ? undefined : grpcMessage(details);
  const own = { "grpc-message": message };
  const sent = WireMetadata.of(metadata, own);
  // The status is told in any case, and a part of its details is none.
  return { code, details, metadata: sent.bytes > MAX_TRAILER_BYTES ? new WireMetadata(own) : sent };
}

function explained(status: PartialStatus): PartialStatus {
  // Statuses of our own have their details with them.
  if (status.code === Status.OK || status.metadata?.get(DETAILS).length) return status;
  const { code, details } = status;
  switch (code) {
    case Status.INTERNAL:
      if (details.includes("grpc-timeout")) {
        return statusOf(unreadableRequest("INVALID_TIMEOUT", "its grpc-timeout is no duration"));
      }
      if (details.includes("decompress")) {
        const why = "its message is not compressed as its grpc-encoding says";
        return statusOf(unreadableRequest("UNREADABLE_MESSAGE", why));
      }
      return status;
    case Status.RESOURCE_EXHAUSTED:
      return statusOf(
        unreadableRequest("MESSAGE_TOO_LARGE", "its message is larger than the server takes"),
      );
    case Status.UNIMPLEMENTED:
      return statusOf(unreadableRequest("MESSAGE_COUNT", "the method takes exactly one message"));
    default:
      return status;
  }
}
