import { MpcError } from "@mpc/domain";

/** The error of a stream whose reader has read nothing for too long. */
export function readerTooSlow(resumeToken?: string): MpcError {
  const advice = resumeToken === undefined ? "call again" : "resume with the token";
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "READER_TOO_SLOW",
    message: `Cannot go on with the stream: its messages have not been read in time; ${advice}`,
    ...(resumeToken !== undefined && { metadata: { resume_token: resumeToken } }),
  });
}
