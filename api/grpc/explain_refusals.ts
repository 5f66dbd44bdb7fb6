import { ServerInterceptingCall, type ServerInterceptor, status as Status } from "@grpc/grpc-js";
import { grpcMessage } from "../status_message.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { DETAILS, statusOf } from "./status.ts";
import { WireMetadata } from "./wire_metadata.ts";

/** The limit of clients: grpc-java considers a connection with a larger block broken. */
const MAX_TRAILER_BYTES = 8_000;

type PartialStatus = Parameters<ServerInterceptingCall["sendStatus"]>[0];

/**
 * Gives errors of grpc-js itself an `ErrorInfo`, and the code of a caller's mistake if they are
 * one. grpc-js reports INTERNAL for a message that it cannot decompress and for an invalid timeout,
 * and reports it to the innermost call, past the responses of interceptors; so this wraps the
 * method of that call.
 */
export const explainRefusals: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  const sendMetadata = call.sendMetadata.bind(call);
  call.sendStatus = (status) => sendStatus(asSent(explained(status)));
  call.sendMetadata = (metadata) => sendMetadata(WireMetadata.of(metadata));
  return new ServerInterceptingCall(call);
};

/** A status in gRPC's form: success has no message. */
function asSent(status: PartialStatus): PartialStatus {
  const { code, details, metadata } = status;
  const message = code === Status.OK ? undefined : grpcMessage(details);
  const own = { "grpc-message": message };
  const sent = WireMetadata.of(metadata, own);
  // The status is sent in any case; incomplete details are left out.
  return { code, details, metadata: sent.bytes > MAX_TRAILER_BYTES ? new WireMetadata(own) : sent };
}

function explained(status: PartialStatus): PartialStatus {
  // Our own statuses already have details.
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
