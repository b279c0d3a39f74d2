/**
 * Additional data of an operation: nothing, a map of strings, or bytes (for protocols whose additional data is bytes).
 * Its encoding is in keys.md and `context-encoding.ts`. An empty map is `none`.
 */
export type Context =
  | { readonly kind: "none" }
  | { readonly kind: "map"; readonly pairs: ReadonlyMap<string, string> }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export const NO_CONTEXT: Context = { kind: "none" };

/** Bounds of a context (keys.md): pairs, and bytes once encoded. */
export const CONTEXT_LIMITS = { pairs: 32, encodedBytes: 8192, keyCharacters: 128, valueCharacters: 1024 } as const;
