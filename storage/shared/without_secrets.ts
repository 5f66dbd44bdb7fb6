/** A text without the user names and passwords of the MongoDB addresses in it. */
export const withoutSecrets = (text: string): string =>
  text.replace(/(mongodb(?:\+srv)?:\/\/)[^@/\s]*@/gi, "$1***@");
