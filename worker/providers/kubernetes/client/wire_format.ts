/**
 * A model of `@kubernetes/client-node` in the form that the API's JSON has. The package renames
 * fields that are reserved words in other languages (`_default`, `_from`), and it parses times into
 * `Date`s; on the wire they are RFC 3339 strings.
 */
export type Wire<Model> = Model extends Date ? string
  : Model extends readonly (infer Item)[] ? readonly Wire<Item>[]
  : Model extends object ? {
      readonly [Key in keyof Model as Key extends `_${infer Name}` ? Name : Key]: Wire<Model[Key]>;
    }
  : Model;
