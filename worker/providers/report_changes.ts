/**
 * Wraps a callback so that it is called only when the key of a value differs from the previous one.
 */
export function reportChanges<T>(
  report: ((value: T) => void) | undefined,
  keyOf: (value: T) => string = JSON.stringify,
): (value: T) => void {
  let reported: string | undefined;
  return (value) => {
    const key = keyOf(value);
    if (key === reported) return;
    reported = key;
    report?.(value);
  };
}
