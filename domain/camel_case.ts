/** The words of a name in camel case, in lower case: `grpcListen` with `-` is `grpc-listen`. */
export function separateWords(name: string, separator: string): string {
  return name.replace(/(?<=.)(?=[A-Z])/g, separator).toLowerCase();
}
