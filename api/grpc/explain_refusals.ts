import { ServerInterceptingCall, type ServerInterceptor, status as Status } from "@grpc/grpc-js";
import { unreadableRequest } from "../unreadable_request.ts";
import { DETAILS, statusOf } from "./status.ts";

type PartialStatus = Parameters<ServerInterceptingCall["sendStatus"]>[0];

/**
 * Gives errors of grpc-js itself an `ErrorInfo`, and the code of a caller's mistake if they are
 * one. grpc-js reports INTERNAL for a message that it cannot decompress and for an invalid timeout,
 * and reports it to the innermost call, past the responses of interceptors; so this wraps the
 * method of that call.
 */
export const explainRefusals: ServerInterceptor = (_method, call) => {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => send(explained(status));
  return new ServerInterceptingCall(call);
};

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
      return statusOf(
        details.includes("encoding")
          ? unreadableRequest("UNSUPPORTED_ENCODING", "its encoding is none of gzip and deflate")
          : unreadableRequest("UNREADABLE_MESSAGE", "the method takes exactly one message"),
      );
    default:
      return status;
  }
}
