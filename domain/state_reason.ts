/** The reason that a state gives to a condition or an event: `CREATE_FAILED` gives `CreateFailed`. */
export const stateReason = (state: string): string =>
  state.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
