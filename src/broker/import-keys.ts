import type { KeyId } from "#core/ids.ts";

/** What a caller wraps under, and what he sends along. */
export type ImportParameters = {
  /** SPKI DER, RSA-4096. */
  readonly publicKey: Buffer;
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expireTime: number;
};

/** The unwrapped material, which whoever asked owns and zeroes; or which of the two does not count. */
export type OpenedImport =
  | { readonly ok: true; readonly material: Buffer }
  | { readonly ok: false; readonly because: "token" | "wrapped" };

/** The gateway's own key pairs for imports. */
export interface ImportKeys {
  parameters(key: KeyId): Promise<ImportParameters>;
  open(key: KeyId, wish: { readonly token: string; readonly wrapped: Buffer }): Promise<OpenedImport>;
  /** Erases the pairs that no token needs any more. */
  sweep(): Promise<void>;
}
