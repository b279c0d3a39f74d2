import { randomBytes } from "node:crypto";
import { protos } from "@google-cloud/kms";
import { checksumOf } from "../checksums.ts";
import { invalidArgument } from "../failure.ts";
import { nameIn, type Operations } from "../methods.ts";
import { parseLocation } from "../resolve.ts";

export const randomOperations: Pick<Operations, "GenerateRandomBytes"> = {
  GenerateRandomBytes: (_kms, { location, lengthBytes, protectionLevel }) => {
    parseLocation(location);
    if (nameIn(protos.google.cloud.kms.v1.ProtectionLevel, protectionLevel) !== "HSM") {
      throw invalidArgument("protection_level must be HSM.");
    }
    if (lengthBytes < 8 || lengthBytes > 1024) throw invalidArgument("length_bytes must be between 8 and 1024.");
    const data = randomBytes(lengthBytes);
    return { data, dataCrc32c: checksumOf(data) };
  },
};
