import { isMpcError } from "@mpc/domain";

/** Whether an error is a fault of this program: another try would only repeat it. */
export const isFault = (error: unknown): boolean => !isMpcError(error) || error.code === "INTERNAL";
