import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { unreadableRequest } from "../unreadable_request.ts";
import { readMessage } from "./read_request.ts";

const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * Checks the query of a unary call by GET ("Connect Protocol Reference", "Unary-Get-Request").
 * Connect would take unknown fields, and say INTERNAL of a message that is no base64.
 * @returns why the query cannot be read; undefined where it can
 */
export function queryProblem(method: DescMethod, url: string): ConnectError | undefined {
  const { searchParams } = new URL(url);
  const compression = searchParams.get("compression") ?? "";
  if (!/^(identity)?$/.test(compression)) {
    return unreadableRequest("UNSUPPORTED_ENCODING", "its compression is not identity");
  }
  const message = searchParams.get("message") ?? "";
  try {
    const bytes = searchParams.get("base64") === "1"
      ? fromBase64Url(message)
      : new TextEncoder().encode(message);
    const json = searchParams.get("encoding") === "json";
    readMessage(method, bytes, { json, inEnvelopes: false });
    return undefined;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
}

function fromBase64Url(text: string): Uint8Array {
  const padded = text.replace(/=+$/, "");
  if (!BASE64_URL.test(text) || padded.length % 4 === 1) {
    throw unreadableRequest("UNREADABLE_MESSAGE", "its message is no URL-safe base64");
  }
  return Uint8Array.from(
    atob(padded.replaceAll("-", "+").replaceAll("_", "/")),
    (char) => char.charCodeAt(0),
  );
}
