import { createHmac, timingSafeEqual } from "node:crypto";
import { rowOf } from "../algorithms.ts";
import { bytesOf, checksumOf, isVerified } from "../checksums.ts";
import { refuseLargeData } from "../limits.ts";
import type { Operations } from "../methods.ts";
import { materialOf, versionToUse } from "../resolve.ts";
import type { Version } from "../state.ts";

export const macOperations: Pick<Operations, "MacSign" | "MacVerify"> = {
  MacSign: async (kms, request) => {
    const data = bytesOf(request.data);
    const verifiedDataCrc32c = isVerified({ field: "data", bytes: data, crc: request.dataCrc32c });
    const version = versionToUse(kms, request.name, ["MAC"]);
    refuseLargeData(data);
    const mac = await macOf(version, data);
    const { name, protectionLevel } = version;
    return { name, mac, macCrc32c: checksumOf(mac), verifiedDataCrc32c, protectionLevel };
  },

  MacVerify: async (kms, request) => {
    const data = bytesOf(request.data);
    const sent = bytesOf(request.mac);
    const verifiedDataCrc32c = isVerified({ field: "data", bytes: data, crc: request.dataCrc32c });
    const verifiedMacCrc32c = isVerified({ field: "mac", bytes: sent, crc: request.macCrc32c });
    const version = versionToUse(kms, request.name, ["MAC"]);
    refuseLargeData(data);
    const mac = await macOf(version, data);
    const success = mac.length === sent.length && timingSafeEqual(mac, sent);
    const { name, protectionLevel } = version;
    return {
      name,
      success,
      verifiedDataCrc32c,
      verifiedMacCrc32c,
      verifiedSuccessIntegrity: success,
      protectionLevel,
    };
  },
};

const macOf = async (version: Version, data: Buffer): Promise<Buffer> =>
  createHmac(rowOf(version.algorithm).hash ?? "sha256", await materialOf(version)())
    .update(data)
    .digest();
