/**
 * A model of the client's package as the API's JSON has it: that package renames fields which are
 * words of other languages (`_default`, `_from`) and turns times into dates.
 */
export type Wire<Model> = Model extends Date ? string
  : Model extends readonly (infer Item)[] ? readonly Wire<Item>[]
  : Model extends object ? {
      readonly [Key in keyof Model as Key extends `_${infer Name}` ? Name : Key]: Wire<Model[Key]>;
    }
  : Model;
