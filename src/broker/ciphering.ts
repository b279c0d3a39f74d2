/** What encrypting and decrypting take and give, wherever they run. */
import type { Context } from "#core/context.ts";
import type { CiphertextFormat } from "./format.ts";

export type EncryptItem = { readonly plaintext: Buffer; readonly context: Context; readonly format?: CiphertextFormat };
export type Encrypted = {
  readonly ciphertext: Buffer;
  readonly keyVersion: number;
  /** The provider that did it; absent where the gateway did. */
  readonly provider?: string;
  /** The ciphertext is the provider's own bytes, without a frame. */
  readonly bare?: boolean;
};

export type DecryptItem = {
  /** The frame's bytes, or the provider's own; undefined for a text that is no frame at all, which fails as every other bad ciphertext does. */
  readonly ciphertext: Buffer | undefined;
  readonly context: Context;
  /** Also answer a fresh ciphertext under the primary version. */
  readonly upgrade: boolean;
  readonly format?: CiphertextFormat;
};
export type Decrypted = {
  readonly plaintext: Buffer;
  readonly keyVersion: number;
  readonly stale: boolean;
  readonly upgraded?: Encrypted;
  /** The provider that did it; absent where the gateway did. */
  readonly provider?: string;
};
