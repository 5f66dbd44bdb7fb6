import { getTextFormatter, type TextFormatter } from "@logtape/logtape";
import type { ErrorRecord } from "@mpc/domain";

/** A log record as one line, whatever its values are. */
export const logLine: TextFormatter = getTextFormatter({
  level: "FULL",
  value(value, inspect) {
    const text = typeof value === "string"
      ? value
      : isErrorRecord(value)
      ? errorText(value)
      : inspect(value);
    return text.replaceAll(/\s*\n\s*/g, " ");
  },
});

type Told = Pick<ErrorRecord, "code" | "reason" | "message" | "causes">;

function errorText({ code, reason, message, causes }: Told): string {
  const because = causes.map((cause) =>
    `; because ${cause.code} ${cause.reason}: ${cause.message}`
  );
  return `${code} ${reason}: ${message}${because.join("")}`;
}

const isErrorRecord = (value: unknown): value is Told =>
  typeof value === "object" && value !== null && "code" in value && "reason" in value &&
  "message" in value && "causes" in value && Array.isArray(value.causes);
