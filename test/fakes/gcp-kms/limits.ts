import { invalidArgument } from "./failure.ts";
import type { Version } from "./state.ts";

const SOFTWARE_BYTES = 65_536;
const HSM_BYTES = 8_192;

type Sizes = { readonly plaintext: Uint8Array; readonly aad: Uint8Array };

/** Size limits of encryption, service.proto: 64 KiB each in software, 8 KiB together in an HSM. */
export const refuseLarge = ({ protectionLevel }: Version, { plaintext, aad }: Sizes): void => {
  if (protectionLevel === "HSM" && plaintext.length + aad.length > HSM_BYTES) {
    throw invalidArgument(`plaintext and additional_authenticated_data must be at most ${HSM_BYTES} bytes together.`);
  }
  if (plaintext.length > SOFTWARE_BYTES) throw invalidArgument(`plaintext must be at most ${SOFTWARE_BYTES} bytes.`);
  if (aad.length > SOFTWARE_BYTES) {
    throw invalidArgument(`additional_authenticated_data must be at most ${SOFTWARE_BYTES} bytes.`);
  }
};

/** Data to sign or to authenticate. */
export const refuseLargeData = (data: Uint8Array): void => {
  if (data.length > SOFTWARE_BYTES) throw invalidArgument(`data must be at most ${SOFTWARE_BYTES} bytes.`);
};
