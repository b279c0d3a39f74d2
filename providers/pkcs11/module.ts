import type { PKCS11 } from "pkcs11js";
import { TokenTrouble } from "./token-trouble.ts";

export type Binding = PKCS11;

/** The one place that loads pkcs11js, which is compiled where somebody wants it. */
export async function loadBinding(): Promise<Binding> {
  try {
    const { default: pkcs11js } = await import("pkcs11js");
    return new pkcs11js.PKCS11();
  } catch {
    throw new TokenTrouble(
      "no-binding",
      "pkcs11js is not there or not compiled: install python3 and g++, then run `npm rebuild pkcs11js --ignore-scripts=false` in the gateway's folder",
    );
  }
}
