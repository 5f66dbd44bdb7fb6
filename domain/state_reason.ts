/** The reason of a condition or event for a state: `CREATE_FAILED` gives `CreateFailed`. */
export const stateReason = (state: string): string =>
  state.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
